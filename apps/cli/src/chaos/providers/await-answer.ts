import type { Clock } from '@starling/clock';
import { type AnswerVerdict, verdictOf } from '../answer-verdict.ts';
import type { Answer, DiscordSide } from '../discord-side.ts';

/** What somebody saw below a question in the end. Times are milliseconds since it was asked. */
export interface SeenEnd {
  readonly verdict: AnswerVerdict;
  readonly text: string;
  readonly firstTextMs: number | undefined;
  /** The last change of what stands there. */
  readonly answerMs: number | undefined;
}

const lookEveryMs = 50;

/** Waits until what stands below a message is final, `withinMs` at most. */
export async function awaitAnswer(of: {
  readonly discord: DiscordSide;
  readonly messageId: string;
  readonly withinMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<SeenEnd> {
  const { clock, discord, messageId, signal, withinMs } = of;
  const endMs = clock.monotonicMs() + withinMs;
  for (;;) {
    const answer = await discord.answer(messageId);
    if (isFinal(answer) || clock.monotonicMs() >= endMs) {
      return {
        verdict: answer.answered ? verdictOf(answer.text) : 'none',
        text: answer.text,
        firstTextMs: answer.firstTextMs ?? undefined,
        answerMs: answer.lastChangeMs ?? undefined,
      };
    }
    await clock.sleep(lookEveryMs, { signal });
  }
}

/** While it streams there is a button to stop it. */
function isFinal({ answered, messages, text }: Answer): boolean {
  const streams = messages.some(({ components }) => components.length > 0);
  const verdict = answered ? verdictOf(text) : 'none';
  return !streams && (verdict === 'whole' || verdict === 'note');
}
