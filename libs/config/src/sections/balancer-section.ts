import { field } from '../parse.ts';

/** A balancer: how it chooses and asks workers, how it ends. */
export const balancerSection = {
  strategy: field.oneOf('STARLING_BALANCER_STRATEGY', {
    default: 'least_connections',
    values: ['least_connections', 'round_robin', 'weighted', 'power_of_two', 'peak_ewma'],
    doc: 'How a worker is chosen among those with a free slot. Least connections waits least with jobs of seconds; the others are for comparison.',
  }),
  runTimeoutMs: field.integer('STARLING_RUN_TIMEOUT_MS', {
    default: 1_000,
    min: 50,
    max: 2_500,
    unit: 'milliseconds',
    doc: 'How long a worker may take to say whether it runs a job. Shorter leaves a stuck worker sooner, longer forgives a pause.',
  }),
  scalingClearMs: field.integer('STARLING_SCALING_CLEAR_MS', {
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: 'In how much time the wanted number of workers (`starling_fleet_wanted_workers`) should work off what waits. Shorter asks for more of them; far less than one takes to start asks for too many.',
  }),
  scalingUsePercent: field.integer('STARLING_SCALING_USE_PERCENT', {
    default: 80,
    min: 10,
    max: 100,
    unit: 'per cent',
    doc: 'Share of the slots in use that the wanted number of workers aims at. Lower keeps more of them free for the next moment, higher costs less.',
  }),
  scalingHoldMs: field.integer('STARLING_SCALING_HOLD_MS', {
    default: 60_000,
    min: 0,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: 'Fewer workers are wanted when fewer would have done for this long. Longer spares cold starts when load comes in waves, shorter gives hosts back sooner.',
  }),
  drainDeadlineMs: field.integer('STARLING_BALANCER_DRAIN_MS', {
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a balancer that was told to stop may finish its dispatches. What waits is seen by the others at once.',
  }),
} as const;
