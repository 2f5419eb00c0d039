import type { Messaging } from '@starling/bus';
import { encode, type JobId, releasedContract, subjects, type WorkerId } from '@starling/contracts';
import type { LedgerRead } from '../ledger/ledger.ts';
import type { JobStores } from './job-stores.ts';

/** What a forced release came to. */
export type Release =
  | { readonly kind: 'released'; readonly from: WorkerId; readonly attempt: number }
  /** Nobody had it. */
  | { readonly kind: 'waiting' }
  /** It has ended, or belongs to a newer version: `standing`. */
  | { readonly kind: 'over'; readonly standing: LedgerRead };

/**
 * Takes a job from the worker that runs it, by an operator's word. Its claim is replaced in the ledger,
 * so whatever the worker ends it with is refused; it is told to let go, and the balancers start the next
 * attempt at once, were it the fourth.
 */
export async function releaseJob(
  parts: Pick<JobStores, 'ledger'> & { readonly messaging: Messaging },
  jobId: JobId,
): Promise<Release> {
  const { ledger, messaging } = parts;
  const before = await ledger.read(jobId);
  if (before.kind === 'none' || before.kind === 'released') return { kind: 'waiting' };
  if (before.kind !== 'run') return { kind: 'over', standing: before };
  const after = await ledger.release(jobId, 'operator');
  if (after.kind !== 'released') return { kind: 'over', standing: after };
  const { revision } = after;
  messaging.publish(subjects.released(jobId), encode(releasedContract, { jobId, revision }));
  return { kind: 'released', from: before.run.workerId, attempt: after.released.attempt };
}
