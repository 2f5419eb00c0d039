/**
 * Ephemeral jobs: an ingress hands them straight to a balancer, over core messaging. Whoever holds the
 * caller's connection asks again when a balancer or a worker dies, so nothing of them is stored.
 */
import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { balancerId, callKey, jobId } from './ids.ts';
import { lane, modelName } from './job.ts';
import { ingressOrigin } from './origin.ts';
import { queuePlace } from './outlook.ts';
import { scalingSignal } from './scaling.ts';

/** A balancer to everyone, every 250 ms: it lives. Silence of three of them means that it does not. */
export const balancerHeartbeatContract = defineContract({
  name: 'balancer heartbeat',
  subject: 'bal.hb',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 64 * 1024,
  schema: z.object({
    balancerId,
    /** Differs for every start of the process: its start time. What an earlier one was given is gone. */
    epoch: z.number(),
    /** It takes no new jobs; what it has it still places. */
    draining: z.boolean(),
    /** Models that live workers serve; absent unless all of them said: any may be asked for. */
    models: z.array(z.string().min(1).max(200)).max(100).optional(),
    /** Models that some live workers serve, while others serve any (or there are more); then `models` is absent. */
    someModels: z.array(z.string().min(1).max(200)).max(100).optional(),
    /** Jobs that wait with this balancer and no other: ephemeral ones. Absent: none. */
    ownWaiting: z.int().nonnegative().optional(),
    /** How loaded the fleet is by what it sees; absent until it has heard of all workers. */
    scaling: scalingSignal.optional(),
  }),
});
export type BalancerHeartbeat = Payload<typeof balancerHeartbeatContract>;

/**
 * An ingress to the job's home balancer: queue this. The message's body is the whole job by its own
 * contract, which a balancer passes on as it is; here stands what it needs to know of it. The headers
 * bring the trace.
 */
export const submitContract = defineContract({
  name: 'submit',
  subject: 'submit.<balancer>',
  version: 2,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({
    jobId,
    lane,
    origin: ingressOrigin,
    model: modelName.optional(),
    /** Jobs of one call key may share a call of the provider. */
    callKey: callKey.optional(),
    acceptedAtMs: z.number(),
    deadlineAtMs: z.number(),
    /** Estimated LLM tokens, prompt and completion together: what fairness counts in. */
    tokenEstimate: z.int().positive(),
  }),
});
export type Submit = Payload<typeof submitContract>;

/**
 * The balancer's answer. `accepted`: it stands in this balancer's queue. `refused` is final for this
 * balancer: `draining` and `invalid` are worth another one, the rest is what the caller is told.
 */
export const submitReplyContract = defineContract({
  name: 'submit reply',
  subject: '(reply)',
  version: 1,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({
    reply: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('accepted'),
        /** 0 when it can run at once. */
        position: z.int().nonnegative(),
        expectedWaitMs: z.number().nonnegative(),
      }),
      z.object({
        kind: z.literal('refused'),
        code: z.enum([
          'too_busy',
          'user_busy',
          'no_worker',
          'deadline_exceeded',
          'draining',
          'invalid',
        ]),
        /** When to ask again, milliseconds; 0 when waiting does not help. */
        retryAfterMs: z.number().nonnegative(),
        /** Where it would have stood, when too many wait. */
        place: queuePlace.optional(),
      }),
    ]),
  }),
});
export type SubmitReply = Payload<typeof submitReplyContract>['reply'];

/**
 * A balancer gives an ephemeral job back: it could not place it before it drained, or no report of the
 * job's worker lists it any more. The ingress submits it elsewhere if its caller has seen nothing yet.
 */
export const returnedContract = defineContract({
  name: 'returned',
  subject: 'returned.<ingress>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({ jobId, balancerId, why: z.enum(['draining', 'worker_lost']) }),
});
export type Returned = Payload<typeof returnedContract>;
