/** How a balancer brings a job to a worker. */
import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { balancerId, callKey, jobId, workerId } from './ids.ts';

/**
 * Balancer to worker: run this job. Of a stored job the worker claims the ledger's record first and
 * then fetches the body; an inline one is nobody else's, and is the body of the message.
 */
export const runRequestContract = defineContract({
  name: 'run request',
  subject: 'workers.<worker>.run',
  version: 3,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({
    jobId,
    work: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('stored'),
        /** Where the body lies in `JOBS`. */
        sequence: z.int().positive(),
        /** The revision of the claim that this attempt replaces; absent for a job that nobody claimed. */
        previousRevision: z.int().positive().optional(),
      }),
      /** Ephemeral: it stands neither in `JOBS` nor in the ledger. */
      z.object({ kind: z.literal('inline') }),
    ]),
    attempt: z.int().positive(),
    /** The job may share a call of this key. */
    callKey: callKey.optional(),
    /** It is sent to share the call that the worker holds, and to nothing else: no grant is spent on it. */
    follows: z.boolean().optional(),
    /** When the balancer took the job out of its queue, milliseconds since the Unix epoch. */
    dequeuedAtMs: z.number(),
    /** The balancer that chose this worker. */
    dispatchedBy: balancerId,
  }),
});
export type RunRequest = Payload<typeof runRequestContract>;

/**
 * Worker to balancer, after the claim. `lost`: somebody else holds the claim, or the job has ended.
 * `invalid`: the request did not decode.
 */
export const runReplyContract = defineContract({
  name: 'run reply',
  subject: '(reply)',
  version: 2,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({
    kind: z.enum(['ok', 'full', 'draining', 'lost', 'invalid']),
    /** With `full`, to a request that follows: the worker holds no such call, or no more may share it. */
    callGone: z.boolean().optional(),
  }),
});
export type RunReply = Payload<typeof runReplyContract>;

/** A balancer to the others: this job is with that worker. A hint; void unless a report lists the job soon. */
export const tookContract = defineContract({
  name: 'took',
  subject: 'bal.took',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({
    balancerId,
    jobId,
    workerId,
    /** It was sent to share a call: no grant was spent on it. */
    follows: z.boolean().optional(),
  }),
});
export type Took = Payload<typeof tookContract>;
