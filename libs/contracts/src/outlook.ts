import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { jobId } from './ids.ts';

/** Where a job stands, or would stand, in the queue. */
export const queuePlace = z.object({
  /** Jobs that are likely to start before it. */
  position: z.int().nonnegative(),
  /** Until it is likely to start, milliseconds; absent while too little is known to tell. */
  waitMs: z.number().nonnegative().optional(),
});
export type QueuePlace = z.infer<typeof queuePlace>;

/**
 * A balancer to the owner of stored jobs that have waited for a while: where they stand. Each job is
 * told by its home balancer alone, every two seconds at most, until it runs.
 */
export const outlookContract = defineContract({
  name: 'outlook',
  subject: 'outlook.<owner>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 64 * 1024,
  schema: z.object({
    jobs: z
      .array(
        queuePlace.extend({
          jobId,
          /** Where the job lies in `JOBS`. */
          stored: z.int().positive(),
        }),
      )
      .min(1)
      .max(200),
  }),
});

/** Where one waiting job stands. */
export type Outlook = Payload<typeof outlookContract>['jobs'][number];
