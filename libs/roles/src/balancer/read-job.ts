import type { QueuedMessage } from '@starling/bus';
import { type DecodeFault, decode, type Job, jobContract } from '@starling/contracts';

/**
 * What to do with a message of the job queue.
 * - `newer`: written by a newer process; it stays in the queue for one that can read it.
 * - `quarantined`: it will never read; it is counted, logged and taken out, else it went round for ever.
 */
export type ReadJob =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'quarantined'; readonly fault: Exclude<DecodeFault, { kind: 'newer' }> };

/** Reads a queued message. Never throws. */
export function readJob(message: Pick<QueuedMessage, 'payload'>): ReadJob {
  const decoded = decode(jobContract, message.payload);
  if (decoded.ok) return { kind: 'job', job: decoded.value };
  const { fault } = decoded;
  return fault.kind === 'newer' ? fault : { kind: 'quarantined', fault };
}
