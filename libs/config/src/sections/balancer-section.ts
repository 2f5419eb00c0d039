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
  drainDeadlineMs: field.integer('STARLING_BALANCER_DRAIN_MS', {
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a balancer that was told to stop may finish its dispatches. What waits is seen by the others at once.',
  }),
} as const;
