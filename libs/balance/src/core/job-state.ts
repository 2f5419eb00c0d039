import type { ErrorCode, WorkerId } from '@starling/contracts';
import type { QueuedJob } from '../fair/queued-job.ts';
import type { Refused } from './line-bounds.ts';

/** Where a balancer believes a stored job stands. Another balancer may believe otherwise: the claim decides. */
export type JobState =
  /** In the fair queue; ours to take once its turn at our rank has come. */
  | { readonly kind: 'waiting'; readonly sinceMs: number }
  /** Our own run request is under way. */
  | { readonly kind: 'dispatching'; readonly workerId: WorkerId; readonly sinceMs: number }
  /** A peer says that it took the job: believed for a moment, until a report lists it. */
  | { readonly kind: 'hinted'; readonly untilMs: number }
  /** A worker runs it; `heardAtMs` is on the {@link HearingClock}. */
  | { readonly kind: 'running'; readonly heardAtMs: number }
  /**
   * Its ledger entry is being read: `silent` because no report lists it, `released` because somebody says
   * so, `doubted` because it is said to have ended and still stored.
   */
  | {
      readonly kind: 'checking';
      readonly why: 'silent' | 'unanswered' | 'released' | 'doubted';
      /** The claim as it stood at the first read. */
      readonly first: { readonly revision: number; readonly atMs: number } | undefined;
    }
  /** Its honest end is to be written, by its home at once and by others if the home does not. */
  | {
      readonly kind: 'failing';
      readonly code: ErrorCode;
      readonly previousRevision: number | undefined;
      /** Of a job that was refused: where it would have stood, and when to come back. */
      readonly refused?: Omit<Refused, 'code'>;
    }
  /** Ended; still in `JOBS` until its owner has delivered it. */
  | { readonly kind: 'ended' };

/** What the ledger said of a job. */
export type LedgerRead =
  | { readonly kind: 'none' }
  /** Claimed at this revision, which is the fencing epoch. */
  | { readonly kind: 'run'; readonly revision: number; readonly attempt: number }
  /** Taken from its worker. An operator wants it tried again, however often it was. */
  | {
      readonly kind: 'released';
      readonly revision: number;
      readonly attempt: number;
      readonly byOperator?: boolean;
    }
  | { readonly kind: 'end' };

/** A stored job as a balancer tracks it. */
export interface TrackedJob {
  /** How often it was found stored although it had ended. */
  looks: number;
  readonly header: QueuedJob;
  /** Where its body lies in `JOBS`. */
  readonly sequence: number;
  state: JobState;
  /** The attempt to dispatch next, or under way: 1 for the first. */
  attempt: number;
  /** The claim that this attempt replaces; absent when nobody claimed it. */
  previousRevision: number | undefined;
  /** The highest attempt that was ever claimed: reports of an earlier one are a zombie's. */
  claimedAttempt: number;
  /** Whether its guild and user are charged its estimate. */
  charged: boolean;
  /** Who has it, as far as is known. */
  workerId: WorkerId | undefined;
  /** It shares a call that another job pays for: it needs no slot, and is charged nothing. */
  follows: boolean;
  /** It was turned away from a call that it might have shared: it gets one of its own. */
  ownCall: boolean;
  /** Workers that refused it; asked again when all that could take it refused. */
  readonly refusedBy: Set<WorkerId>;
}
