/**
 * What the reconciler looks for among the stored jobs (protocol.md, step 11): pure functions over what
 * a feed shows and the ledger says.
 */
import type { JobId } from '@starling/contracts';
import type { LedgerRead } from './ledger/ledger.ts';
import type { StoredJob } from './stored-job.ts';

/** Jobs that should have ended by now: their honest end is to be written. */
export function jobsPastDeadline(
  jobs: Iterable<StoredJob>,
  options: {
    readonly nowMs: number;
    /** After its deadline a job is its worker's to end for this long. */
    readonly graceMs: number;
  },
): readonly StoredJob[] {
  const { graceMs, nowMs } = options;
  return [...jobs].filter(({ header }) => header.deadlineAtMs + graceMs <= nowMs);
}

/**
 * Jobs that ended and are still stored: their owner has not delivered them, or its removal was lost. It
 * is to be woken; delivering once more shows nothing new and removes the job.
 */
export function endedButStored(
  jobs: Iterable<StoredJob>,
  ledger: ReadonlyMap<JobId, LedgerRead>,
  options: { readonly nowMs: number; readonly undeliveredForMs: number },
): readonly StoredJob[] {
  const { nowMs, undeliveredForMs } = options;
  return [...jobs].filter(({ header }) => {
    const read = ledger.get(header.jobId);
    return read?.kind === 'end' && read.end.atMs + undeliveredForMs <= nowMs;
  });
}
