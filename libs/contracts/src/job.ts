import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { errorCodes } from './errors.ts';
import { balancerId, callKey, jobId, workerId } from './ids.ts';
import { jobOrigin } from './origin.ts';
import { queuePlace } from './outlook.ts';

/** Which queue a job waits in (features B6). */
export const lane = z.enum(['dm', 'interactive', 'batch']);
export type Lane = z.infer<typeof lane>;

/** Name of a model, as its provider has it. */
export const modelName = z.string().min(1).max(200);

/** One turn of what the model reads. */
export const chatMessage = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
});
export type ChatMessage = z.infer<typeof chatMessage>;

/** How the model draws its words; what is absent is the provider's own default. */
export const sampling = z.object({
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  /** The answer ends before any of these. */
  stop: z.array(z.string().min(1).max(200)).max(4).optional(),
  seed: z.int().optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
});
export type Sampling = z.infer<typeof sampling>;

/** A unit of LLM work, as stored in `JOBS`; an ephemeral one is only ever sent. */
export const jobContract = defineContract({
  name: 'job',
  subject: 'jobs.<lane>.<jobId>',
  version: 1,
  delivery: 'stored',
  maxBytes: 256 * 1024,
  schema: z.object({
    jobId,
    lane,
    origin: jobOrigin,
    messages: z.array(chatMessage).min(1).max(200),
    /** Name of a model; absent means the worker's default. */
    model: modelName.optional(),
    /** Upper bound on the answer, in LLM tokens. */
    maxCompletionTokens: z.int().positive().max(32_000),
    sampling: sampling.optional(),
    /** Jobs of one call key may share a call of the provider; absent of a job that wants its own. */
    callKey: callKey.optional(),
    acceptedAtMs: z.number(),
    /** After this the job is answered with an honest failure instead of being run. */
    deadlineAtMs: z.number(),
  }),
});
export type Job = Payload<typeof jobContract>;

/** A worker's own word on its load: every 250 ms and soon after a change (features B3). */
export const loadReportContract = defineContract({
  name: 'load report',
  subject: 'load.<worker>',
  version: 1,
  delivery: 'at-most-once',
  // A thousand slots, each with a job of the longest id in a later attempt, and all else at its bound.
  maxBytes: 384 * 1024,
  schema: z.object({
    workerId,
    /** Differs for every start of the process: its start time. A higher one replaces a lower, any one a silent one. */
    epoch: z.number(),
    /** Grows by one with each report of an epoch. */
    sequence: z.int().nonnegative(),
    /** The worker's wall clock as it says so, milliseconds since the Unix epoch: hosts have to agree on it. */
    atMs: z.number().optional(),
    slots: z.int().nonnegative(),
    /** Slots that it has when its provider does not answer late; absent: `slots`. */
    fullSlots: z.int().nonnegative().optional(),
    /** Ids of the jobs that hold a slot: the truth that replaces a balancer's view. */
    running: z.array(jobId).max(1000),
    /** Jobs that share the call of a running one, or the answer of one that ended: they hold no slot. */
    following: z.array(jobId).max(500).optional(),
    draining: z.boolean(),
    /** Free slots dealt to balancers, each slot to one; a credit until the next report, 750 ms at most. */
    grants: z.record(balancerId, z.int().positive()).optional(),
    /** Attempts of the running jobs that are not in their first. */
    attempts: z.record(jobId, z.int().min(2)).optional(),
    /** Jobs whose end was written since the last two reports, with the LLM tokens that they used. */
    ended: z
      .array(z.object({ jobId, tokens: z.int().nonnegative() }))
      .max(1000)
      .optional(),
    /** What the worker can serve, and what it holds in memory; absent means any model. */
    models: z
      .object({
        served: z.array(z.string().min(1).max(200)).max(100),
        loaded: z.array(z.string().min(1).max(200)).max(100),
      })
      .optional(),
    /** Share of recent jobs that the provider failed, 0 to 1. */
    errorRate: z.number().min(0).max(1).optional(),
    /** Recent time to the first token, milliseconds; absent when nothing ran lately. */
    firstTokenMs: z.number().nonnegative().optional(),
  }),
});
export type LoadReport = Payload<typeof loadReportContract>;

/** Anyone to the worker that runs the job: stop it, close the provider's stream. */
export const cancelContract = defineContract({
  name: 'cancel',
  subject: 'cancel.<jobId>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({
    jobId,
    reason: z.enum(['user', 'message_deleted', 'operator', 'caller_gone']),
  }),
});
export type Cancel = Payload<typeof cancelContract>;

/** What a provider counted, or we did: LLM tokens. */
export const usage = z.object({
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
  /** True when the provider sent no figures and we counted ourselves. */
  estimated: z.boolean(),
});
export type Usage = z.infer<typeof usage>;

/** A balancer to the owner of a stored job, and to its peers: it ended, and is not known to be delivered. */
export const wakeContract = defineContract({
  name: 'wake',
  subject: 'wake.<owner>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({
    jobId,
    /** Where the job lies in `JOBS`. */
    stored: z.int().positive(),
  }),
});
export type Wake = Payload<typeof wakeContract>;

/** Milliseconds that the job spent in each of the phases that the bot cannot see. */
export const jobTimings = z.object({
  queueMs: z.number().nonnegative(),
  dispatchMs: z.number().nonnegative(),
  llmMs: z.number().nonnegative(),
  /** From the provider call to its first text; absent when none came. */
  firstTokenMs: z.number().nonnegative().optional(),
});
export type JobTimings = z.infer<typeof jobTimings>;

/** How a job ended. */
export const jobOutcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('done'),
    /** The whole answer: what stands here is what the user reads in the end. */
    text: z.string(),
    model: z.string(),
    finishReason: z.enum(['stop', 'length', 'content_filter']),
    usage,
    /** The call was another job's, whose result has this usage too: it is counted there. */
    shared: z.boolean().optional(),
    /** How many frames were sent, so that a reader knows whether it saw them all. */
    frames: z.int().nonnegative(),
  }),
  z.object({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    /** Text that had reached the user before the failure; empty when none had. */
    partialText: z.string(),
    /** Of a job that was refused because too many wait: where it would have stood. */
    place: queuePlace.optional(),
    /** When there is likely to be room for it, milliseconds after its end; absent when nobody can tell. */
    retryAfterMs: z.number().nonnegative().optional(),
  }),
]);
export type JobOutcome = z.infer<typeof jobOutcome>;

/**
 * What a job came to. Of a stored job it stands in the ledger's end, where its owner reads it; of an
 * ephemeral one the worker (or the balancer, for a job nobody could run) sends it to the ingress.
 */
export const resultContract = defineContract({
  name: 'result',
  subject: 'results.<owner>',
  version: 1,
  delivery: 'request',
  maxBytes: 512 * 1024,
  schema: z.object({
    jobId,
    attempt: z.int().positive(),
    origin: jobOrigin,
    acceptedAtMs: z.number(),
    outcome: jobOutcome,
    timings: jobTimings,
    /** The balancer that had the job in its hands. */
    dispatchedBy: balancerId,
    /** The worker that ran it; absent when no worker did. */
    servedBy: workerId.optional(),
  }),
});
export type Result = Payload<typeof resultContract>;

/** The reply of an ingress to a result: it has it, or nobody waits for it any more. */
export const resultReplyContract = defineContract({
  name: 'result reply',
  subject: '(reply)',
  version: 2,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({ kind: z.literal('taken') }),
});
export type ResultReply = Payload<typeof resultReplyContract>;
