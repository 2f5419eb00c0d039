import { field } from '../parse.ts';

/** A balancer: what it holds, how it asks workers. */
export const balancerSection = {
  maxHeld: field.integer('STARLING_BALANCER_HELD', {
    default: 256,
    min: 1,
    max: 10_000,
    doc: 'Jobs that one balancer has in its hands at once. Everything else waits in the queue, where any balancer can take it.',
  }),
  runTimeoutMs: field.integer('STARLING_RUN_TIMEOUT_MS', {
    default: 1_000,
    min: 50,
    max: 30_000,
    unit: 'milliseconds',
    doc: 'How long a worker may take to say whether it runs a job. Shorter leaves a stuck worker sooner, longer forgives a pause.',
  }),
  maxDeliveries: field.integer('STARLING_MAX_DELIVERIES', {
    default: 10,
    min: 1,
    max: 1_000,
    doc: 'Deliveries of one job before it is answered with an honest failure: a job that kills its workers must not go round for ever. Being put back costs a delivery too, so a lower value fails good jobs when many processes stop at once.',
  }),
  drainDeadlineMs: field.integer('STARLING_BALANCER_DRAIN_MS', {
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a balancer that was told to stop may finish its dispatches. What it holds goes back to the queue at once.',
  }),
} as const;
