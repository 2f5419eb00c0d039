import { z } from 'zod';

/**
 * Why so many workers are wanted. More than there are: `backlog` (jobs wait for longer than they should),
 * `load` (too few slots are spare), `no_worker` (none serves). As many: `steady`; `provider` (more would
 * be of use, but the workers hold back from a provider that answers late). Fewer: `idle`; `held` (fewer
 * would do, but not for long enough yet).
 */
export const scalingReason = z.enum([
  'backlog',
  'load',
  'no_worker',
  'steady',
  'provider',
  'idle',
  'held',
]);
export type ScalingReason = z.infer<typeof scalingReason>;

/** How loaded a fleet is, and how many workers it wants: for its orchestrator (features B9). */
export const scalingSignal = z.object({
  /** Workers that serve, and the slots that they offer now. */
  workers: z.int().nonnegative(),
  slots: z.int().nonnegative(),
  /** Jobs that hold a slot, those of workers that drain among them. */
  inFlight: z.int().nonnegative(),
  /** Jobs that wait for a slot, in all balancers. */
  waiting: z.int().nonnegative(),
  /** How long a job that comes last waits, milliseconds; absent while too little is known to tell. */
  waitMs: z.number().nonnegative().optional(),
  wantedSlots: z.int().nonnegative(),
  wantedWorkers: z.int().nonnegative(),
  reason: scalingReason,
});
export type ScalingSignal = z.infer<typeof scalingSignal>;
