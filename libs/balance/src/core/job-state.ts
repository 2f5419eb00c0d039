import type { WorkerId } from '@starling/contracts';
import type { QueuedJob } from '../fair/queued-job.ts';

/** Where a balancer believes a stored job stands. Another balancer may believe otherwise: the claim decides. */
export type JobState =
  /** In the fair queue. */
  | { readonly kind: 'waiting'; readonly seenAtMs: number }
  /** Our own run request is under way. */
  | { readonly kind: 'dispatching'; readonly workerId: WorkerId }
  /** A peer says that it took the job: believed for a moment, until a report lists it. */
  | { readonly kind: 'hinted'; readonly untilMs: number }
  /** A worker runs it; `heardAtMs` is when a report listed it last. */
  | { readonly kind: 'running'; readonly heardAtMs: number }
  /** No report lists it any more: its ledger entry is being read. */
  | { readonly kind: 'checking'; readonly sinceMs: number; readonly firstRead: LedgerRead | undefined };

/** What the ledger said of a job. */
export type LedgerRead =
  | { readonly kind: 'none' }
  /** Claimed at this revision, which is the fencing epoch. */
  | { readonly kind: 'run'; readonly revision: number; readonly attempt: number }
  | { readonly kind: 'end' };

/** A stored job as a balancer tracks it. */
export interface TrackedJob {
  readonly header: QueuedJob;
  /** Where its body lies in `JOBS`. */
  readonly sequence: number;
  state: JobState;
  /** 1 for the first try; raised when a silent claim is driven anew. */
  attempt: number;
  /** The claim that the next attempt replaces; absent for the first. */
  previousRevision: number | undefined;
  /** Workers that refused it since it last waited; asked again when all others refused too. */
  readonly refusedBy: Set<WorkerId>;
}
