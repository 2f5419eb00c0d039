import { isBlank, withoutThoughts } from '@starling/chat';
import type {
  CorrelationId,
  Exchange,
  JobOutcome,
  QueuePlace,
  RefusalCode,
} from '@starling/contracts';
import { closeFences } from '@starling/discord';
import { errorText } from './error-text.ts';

/** What the user reads at the end, and how the exchange is reported. */
export interface Ending {
  readonly text: string;
  readonly report:
    | Extract<Exchange['ending'], { kind: 'answered' }>
    | { readonly kind: 'refused' | 'failed'; readonly code: RefusalCode };
  /** The answer as the conversation remembers it; absent when there was none. */
  readonly answer?: string;
}

/** A job that could not be done says so below what the user has read already. */
export function failedEnding(failure: {
  readonly code: RefusalCode;
  readonly partialText: string;
  readonly correlationId: CorrelationId;
  readonly retryAtMs: number | undefined;
  readonly kind?: 'failed' | 'refused';
  readonly placeBefore?: QueuePlace | undefined;
  readonly place?: QueuePlace | undefined;
}): Ending {
  const { code, kind = 'failed' } = failure;
  const partial = withoutThoughts(failure.partialText, { open: false }).trimEnd();
  const error = errorText(failure);
  const text = isBlank(partial) ? error : `${closeFences(partial)}\n\n${error}`;
  return { text, report: { kind, code } };
}

/** The ending that an outcome stands for. An answer in which nothing can be read is none. */
export function endingOf(
  outcome: JobOutcome,
  about: {
    readonly correlationId: CorrelationId;
    /** When another try may help, wall-clock milliseconds, unless the outcome knows better. */
    readonly retryAtMs: (waitMs: number | undefined) => number;
  },
): Ending {
  const { correlationId } = about;
  if (outcome.kind === 'failed') {
    const { code, partialText, place, retryAfterMs = place?.waitMs } = outcome;
    const retryAtMs = about.retryAtMs(retryAfterMs);
    return failedEnding({ code, partialText, place, correlationId, retryAtMs });
  }
  const retryAtMs = about.retryAtMs(undefined);
  const answer = withoutThoughts(outcome.text, { open: false });
  if (isBlank(answer)) {
    const code = outcome.finishReason === 'content_filter' ? 'provider_refused' : 'answer_cut';
    return failedEnding({ code, partialText: '', correlationId, retryAtMs });
  }
  const { model, shared, usage } = outcome;
  const report = { kind: 'answered', model, usage, ...(shared && { shared }) } as const;
  return { text: answer, answer, report };
}
