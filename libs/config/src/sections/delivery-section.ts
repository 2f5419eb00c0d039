import { field } from '../parse.ts';

/** How a result reaches the cluster that owns its question. */
export const deliverySection = {
  resultTimeoutMs: field.integer('STARLING_RESULT_TIMEOUT_MS', {
    default: 10_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a cluster may take to show a result before it is sent again. Discord may make it wait some seconds; too short sends twice what is on its way.',
  }),
  resultRetryForMs: field.integer('STARLING_RESULT_RETRY_FOR_MS', {
    default: 60_000,
    min: 1_000,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a result is sent again while its cluster is away. After that the job goes back to the queue.',
  }),
  maxUndelivered: field.integer('STARLING_MAX_UNDELIVERED', {
    default: 256,
    min: 1,
    max: 10_000,
    doc: 'Results that one process holds for clusters that are away, up to 400 kB each. At this many it takes no more work.',
  }),
} as const;
