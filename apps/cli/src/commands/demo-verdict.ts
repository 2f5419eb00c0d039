import { type Exchange, phaseNames } from '@starling/contracts';
import type { Answer, Saying } from '../people-door.ts';

/** What one message came to, as the person saw it and as the fleet told it. */
export interface Outcome {
  readonly saying: Saying;
  readonly answer: Answer;
  readonly exchange: Exchange | undefined;
}

/**
 * Whether a demo went as it should. With a fault: the person read of the provider's failure. Without
 * one: answered, in a guild with the time of every phase (a direct message may skip one). A refusal
 * will do only for a text of the person's own, and only when the text is the reason.
 */
export function isAsExpected(
  { saying, answer, exchange }: Outcome,
  asked: { readonly withFault: boolean; readonly ownText: boolean },
): boolean {
  if (!answer.answered || answer.text === '' || !exchange) return false;
  const { ending, phases } = exchange;
  if (ending.kind === 'refused') {
    return asked.ownText && (ending.code === 'empty' || ending.code === 'too_long');
  }
  if (ending.kind === 'failed') return asked.withFault && ending.code.startsWith('provider_');
  if (asked.withFault) return false;
  return saying.dm || phaseNames.every((phase) => phases[phase] !== undefined);
}
