import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { errorCodes } from './errors.ts';
import { balancerId, jobId, workerId } from './ids.ts';
import { jobOrigin } from './origin.ts';

/** Which queue a job waits in (features B6). */
export const lane = z.enum(['dm', 'interactive', 'batch']);
export type Lane = z.infer<typeof lane>;

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
  delivery: 'work-queue',
  maxBytes: 256 * 1024,
  schema: z.object({
    jobId,
    lane,
    origin: jobOrigin,
    messages: z.array(chatMessage).min(1).max(200),
    /** Name of a model; absent means the worker's default. */
    model: z.string().min(1).max(200).optional(),
    /** Upper bound on the answer, in LLM tokens. */
    maxCompletionTokens: z.int().positive().max(32_000),
    sampling: sampling.optional(),
    acceptedAtMs: z.number(),
    /** After this the job is answered with an honest failure instead of being run. */
    deadlineAtMs: z.number(),
  }),
});
export type Job = Payload<typeof jobContract>;

/** Balancer to worker: run this job. The worker acknowledges it on `receipt` itself, at the very end. */
export const runRequestContract = defineContract({
  name: 'run request',
  subject: 'workers.<worker>.run',
  version: 1,
  delivery: 'request',
  maxBytes: 300 * 1024,
  schema: z.object({
    job: jobContract.schema,
    /** 1 for the first delivery; the queue's own count, a hint only. */
    attempt: z.int().positive(),
    /** Settles the delivery in the work queue. */
    receipt: z.string().min(1).max(512),
    /** When the balancer took the job from the queue, milliseconds since the Unix epoch. */
    dequeuedAtMs: z.number(),
    /** The balancer that chose this worker. */
    dispatchedBy: balancerId,
  }),
});
export type RunRequest = Payload<typeof runRequestContract>;

/** Worker to balancer. `running`: it has this job already, for example after a lost reply. */
export const runReplyContract = defineContract({
  name: 'run reply',
  subject: '(reply)',
  version: 1,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({
    kind: z.enum(['ok', 'running', 'full', 'draining', 'expired', 'invalid']),
    slots: z.int().nonnegative(),
    inFlight: z.int().nonnegative(),
  }),
});
export type RunReply = Payload<typeof runReplyContract>;

/** A worker's own word on its load: every 250 ms and on change (features B3). */
export const loadReportContract = defineContract({
  name: 'load report',
  subject: 'load.<worker>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 64 * 1024,
  schema: z.object({
    workerId,
    /** Differs for every start of the process: its start time. A higher epoch replaces a lower one. */
    epoch: z.number(),
    /** Grows by one with each report of an epoch. */
    sequence: z.int().nonnegative(),
    slots: z.int().nonnegative(),
    /** Ids of the jobs that hold a slot: the truth that replaces a balancer's view. */
    running: z.array(jobId).max(1000),
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

/** A numbered piece of a stream. A hole in `sequence` means that text is missing until the result. */
export const frameContract = defineContract({
  name: 'frame',
  subject: 'frames.<owner>.<jobId>.<attempt>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 128 * 1024,
  schema: z.object({
    jobId,
    attempt: z.int().positive(),
    /** 0 for the first frame of an attempt. */
    sequence: z.int().nonnegative(),
    text: z.string(),
  }),
});
export type Frame = Payload<typeof frameContract>;

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
    /** How many frames were sent, so that a reader knows whether it saw them all. */
    frames: z.int().nonnegative(),
  }),
  z.object({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    /** Text that had reached the user before the failure; empty when none had. */
    partialText: z.string(),
  }),
]);
export type JobOutcome = z.infer<typeof jobOutcome>;

/**
 * Worker (or balancer, for a job nobody could run) to the owning cluster. The reply means *the user
 * has it*; only then is the job acknowledged in the work queue.
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

/**
 * The owner's reply to a result. `delivered`: the user sees it (or the message is gone, which is
 * final too). `taken`: an ingress has it, or nobody waits for it any more. `busy`: come again.
 */
export const resultReplyContract = defineContract({
  name: 'result reply',
  subject: '(reply)',
  version: 1,
  delivery: 'request',
  maxBytes: 4096,
  schema: z.object({ kind: z.enum(['delivered', 'taken', 'busy']) }),
});
export type ResultReply = Payload<typeof resultReplyContract>;
