/**
 * The job ledger's rules as one pure function, over a store that can create a key and update it by its
 * revision (NATS key-value; the revision is the fencing epoch). Whoever holds the revision of the last
 * write may write next; an `end` is never written over. So a job is claimed by one worker at a time, a
 * worker whose claim was replaced cannot end the job, and a job ends once (features A6, A7).
 */
import type { WorkerId } from '@starling/contracts';

/** What stands in the ledger about one job. */
export type LedgerRecord =
  /** A worker has it. */
  | { readonly kind: 'run'; readonly workerId: WorkerId; readonly attempt: number }
  /** An operator took it away from its worker; whoever is next may claim it at once. */
  | { readonly kind: 'released'; readonly attempt: number }
  | {
      readonly kind: 'end';
      readonly outcome: 'done' | 'failed' | 'cancelled';
      readonly attempt: number;
      /** Who wrote it; absent when a balancer did. */
      readonly workerId?: WorkerId;
    };

/** A record with the revision of its last write. */
export interface LedgerEntry {
  readonly revision: number;
  readonly record: LedgerRecord;
}

/** A write: `expected` is the revision that it replaces, `undefined` creates. */
export interface LedgerWrite {
  readonly expected: number | undefined;
  readonly record: LedgerRecord;
}

/** What became of a write. A refusal tells what stands there, to be judged instead of guessed. */
export type LedgerAnswer =
  | { readonly kind: 'written'; readonly entry: LedgerEntry }
  | { readonly kind: 'refused'; readonly current: LedgerEntry | undefined };

/**
 * Applies a write.
 * @param nextRevision greater than every revision handed out before
 */
export function ledgerStep(
  current: LedgerEntry | undefined,
  write: LedgerWrite,
  nextRevision: number,
): LedgerAnswer {
  const fenced = current?.revision !== write.expected;
  if (fenced || current?.record.kind === 'end') return { kind: 'refused', current };
  return { kind: 'written', entry: { revision: nextRevision, record: write.record } };
}

/**
 * Whether a refused end is our own after all: the first write arrived and its answer did not.
 */
export function isOwnEnd(
  current: LedgerEntry | undefined,
  own: { readonly workerId: WorkerId; readonly attempt: number },
): boolean {
  const record = current?.record;
  return (
    record?.kind === 'end' && record.workerId === own.workerId && record.attempt === own.attempt
  );
}
