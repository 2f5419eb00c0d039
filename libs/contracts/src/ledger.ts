/** What stands in the job ledger, a bucket of values by key whose revisions are the fencing epochs. */
import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { jobId, messageId, workerId } from './ids.ts';
import { resultContract, usage } from './job.ts';

/** A worker has the job. */
export const ledgerRun = z.object({
  kind: z.literal('run'),
  workerId,
  /** 1 for the first. */
  attempt: z.int().positive(),
  atMs: z.number(),
});
export type LedgerRun = z.infer<typeof ledgerRun>;

/** Nobody has the job any more; the next attempt may claim it at once. */
export const ledgerReleased = z.object({
  kind: z.literal('released'),
  /** The attempt that it was taken from. */
  attempt: z.int().positive(),
  atMs: z.number(),
  /** Who took it from its worker: an operator, who wants it tried again in any case, or the worker itself. */
  by: z.enum(['operator', 'worker']).optional(),
});
export type LedgerReleased = z.infer<typeof ledgerReleased>;

/** The job is over, for good: nothing is ever written over this. */
export const ledgerEnd = z.object({
  kind: z.literal('end'),
  /** The last attempt; 0 when nobody ran the job. */
  attempt: z.int().nonnegative(),
  /** Who wrote it; absent when it was not the worker that ran the job. */
  workerId: workerId.optional(),
  atMs: z.number(),
  /** What the owner tells the user. */
  result: resultContract.schema,
  /** What a job that was not done has used all the same; of one that was done the result tells. */
  usage: usage.optional(),
});
export type LedgerEnd = z.infer<typeof ledgerEnd>;

/** The value of a job's key, `<jobId>`. A job without one was accepted and never claimed. */
export const ledgerEntryContract = defineContract({
  name: 'ledger entry',
  subject: '$KV.LEDGER.<jobId>',
  version: 1,
  delivery: 'stored',
  // A result and a little.
  maxBytes: 516 * 1024,
  schema: z.object({
    jobId,
    record: z.discriminatedUnion('kind', [ledgerRun, ledgerReleased, ledgerEnd]),
  }),
});
export type LedgerEntryPayload = Payload<typeof ledgerEntryContract>;

/**
 * Whoever took a job from its worker to everyone: its claim was replaced by this revision. Its worker lets
 * go of it (one that does not hear it is fenced when it writes its end), and balancers look at once for
 * the next one instead of waiting until the silence is noticed.
 */
export const releasedContract = defineContract({
  name: 'released',
  subject: 'released.<jobId>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({ jobId, revision: z.int().positive() }),
});
export type Released = Payload<typeof releasedContract>;

/** The value of `<jobId>.post.<part>`: the message in Discord that shows this part of the answer. */
export const ledgerPostContract = defineContract({
  name: 'ledger post',
  subject: '$KV.LEDGER.<jobId>.post.<part>',
  version: 1,
  delivery: 'stored',
  maxBytes: 1024,
  schema: z.object({
    jobId,
    /** 1 for the first message of the answer. */
    part: z.int().positive(),
    /** Absent while it is only intended: whether it was posted is not known. */
    messageId: messageId.optional(),
  }),
});
export type LedgerPost = Payload<typeof ledgerPostContract>;
