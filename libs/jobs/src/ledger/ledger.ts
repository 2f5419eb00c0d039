import type {
  JobId,
  LedgerEnd,
  LedgerReleased,
  LedgerRun,
  MessageId,
  WorkerId,
} from '@starling/contracts';

/** What stands in the ledger about a job; the revision is the fencing epoch of its last write. */
export type LedgerRead =
  /** Accepted and never claimed, or ended longer ago than the ledger remembers. */
  | { readonly kind: 'none' }
  | { readonly kind: 'run'; readonly revision: number; readonly run: LedgerRun }
  | { readonly kind: 'released'; readonly revision: number; readonly released: LedgerReleased }
  | { readonly kind: 'end'; readonly revision: number; readonly end: LedgerEnd }
  /** Written by a newer version, whose business it is; nothing is written over it. */
  | { readonly kind: 'newer'; readonly revision: number };

/** Whose the job is. `lost`: this stands there; it is judged, never guessed. */
export type ClaimResult =
  | { readonly kind: 'won'; readonly revision: number }
  | { readonly kind: 'lost'; readonly standing: LedgerRead };

/** Whether our end is the job's. `fenced`: the claim was replaced, or the job had ended: send nothing. */
export type EndResult =
  | { readonly kind: 'ended'; readonly revision: number }
  | { readonly kind: 'fenced'; readonly standing: LedgerRead };

/**
 * The job ledger (features A6, A7): who runs a job, and what it came to. Writes are by compare-and-set,
 * so that a job is claimed by one worker at a time, a worker whose claim was replaced cannot end it, and
 * it ends once. Its rules are `ledgerStep` of the balance library; the simulation runs the same ones.
 *
 * Every method throws a `BusError` when the store gave no clear answer in time: nothing is known then.
 */
export interface Ledger {
  /**
   * Claims a job for a worker.
   * @param claim.previousRevision the claim that this one replaces; absent for a job that nobody claimed
   */
  claim(
    jobId: JobId,
    claim: {
      readonly workerId: WorkerId;
      readonly attempt: number;
      readonly previousRevision?: number | undefined;
    },
  ): Promise<ClaimResult>;
  /**
   * Ends a job over the claim of `revision`; `undefined` for a job that nobody claimed. Writing one's
   * own end again is answered as the first time.
   */
  end(jobId: JobId, end: LedgerEnd, revision: number | undefined): Promise<EndResult>;
  /** Takes a job from the worker that runs it. */
  release(jobId: JobId, by: NonNullable<LedgerReleased['by']>): Promise<LedgerRead>;
  read(jobId: JobId): Promise<LedgerRead>;
  readonly posts: LedgerPosts;
}

/** The messages in Discord that show a job's answer, so that a new owner edits rather than posts again. */
export interface LedgerPosts {
  /**
   * Says that a part is about to be posted, where Discord has no nonce to find it by later.
   * @returns false when that was said before: it may be there already, and must not be posted again
   */
  intend(jobId: JobId, part: number): Promise<boolean>;
  /**
   * Records the message of a part.
   * @returns the message that stands: another one when another was recorded first
   */
  record(jobId: JobId, part: number, message: MessageId): Promise<MessageId>;
  /** The parts from the first on, up to the first that was neither posted nor intended. */
  read(jobId: JobId): Promise<readonly PostedPart[]>;
}

/** One message of an answer; `messageId` is absent when only the intent is known. */
export interface PostedPart {
  readonly part: number;
  readonly messageId?: MessageId;
}
