/** An answer while it is written: numbered pieces, at most once, and the way to have them again. */
import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { jobId } from './ids.ts';
import { resultContract } from './job.ts';

/**
 * A numbered piece of a stream. A hole in `sequence` means that text is missing: the worker sends it
 * again when asked, and the job's end in the ledger has the whole text anyway.
 */
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
    /** Only on the last one, sent when the end of a stored job stands in the ledger. */
    end: z
      .object({
        /** The revision of the end in the ledger. */
        revision: z.int().positive(),
        /** Where the job lies in `JOBS`, to be removed once the user has the answer. */
        stored: z.int().positive(),
        /**
         * What stands there, when it is short and its owner is an ingress: the write was confirmed, an end
         * is final, and so the ledger need not be read.
         */
        result: resultContract.schema.optional(),
      })
      .optional(),
  }),
});
export type Frame = Payload<typeof frameContract>;

/** A reader of frames to the worker that sent them: again from this one on. */
export const resendContract = defineContract({
  name: 'resend',
  subject: 'resend.<jobId>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 1024,
  schema: z.object({
    jobId,
    attempt: z.int().positive(),
    /** The first sequence that is missing. */
    from: z.int().nonnegative(),
  }),
});
export type Resend = Payload<typeof resendContract>;
