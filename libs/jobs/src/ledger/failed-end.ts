import type { BalancerId, ErrorCode, Job, LedgerEnd, QueuePlace } from '@starling/contracts';

/** The honest end of a job that no worker ended: too late, given up, or cancelled before it ran. */
export function failedEnd(
  job: Pick<Job, 'jobId' | 'origin' | 'acceptedAtMs'>,
  why: {
    readonly code: ErrorCode;
    /** The last attempt that was made; 0 when none was. */
    readonly attempt: number;
    readonly endedBy: BalancerId;
    /** Wall-clock milliseconds. */
    readonly atMs: number;
    /** Where a job that is refused would have stood. */
    readonly place?: QueuePlace | undefined;
    /** After this long there is likely to be room for it, milliseconds. */
    readonly retryMs?: number | undefined;
  },
): LedgerEnd {
  const { atMs, attempt, code, endedBy, place, retryMs: retryAfterMs } = why;
  const { acceptedAtMs, jobId, origin } = job;
  return {
    kind: 'end',
    attempt,
    atMs,
    result: {
      jobId,
      // A result counts attempts from 1; nobody ran this one.
      attempt: Math.max(1, attempt),
      origin,
      acceptedAtMs,
      outcome: {
        ...{ kind: 'failed', code, partialText: '' },
        ...(place && { place }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      },
      timings: { queueMs: Math.max(0, atMs - acceptedAtMs), dispatchMs: 0, llmMs: 0 },
      dispatchedBy: endedBy,
    },
  };
}
