import { field } from '../parse.ts';

/** A worker: how much it runs at once, how it streams. */
export const workerSection = {
  slots: field.integer('STARLING_WORKER_SLOTS', {
    default: 8,
    min: 1,
    max: 1_000,
    doc: 'Answers that one worker runs at once, never more than it has provider connections. More use the provider better, fewer keep each answer quick.',
  }),
  minSlots: field.integer('STARLING_WORKER_MIN_SLOTS', {
    default: 2,
    min: 1,
    max: 1_000,
    doc: 'A worker runs fewer answers at once while they begin late at the provider, but never fewer than this. As many as it has slots switches that off.',
  }),
  models: field.words('STARLING_WORKER_MODELS', {
    default: undefined,
    max: 100,
    maxLength: 200,
    accepts: 'names of models, separated by commas, or `any`',
    doc: 'The models that this worker may be asked for by name; `any` lets every name through to its provider. Unset: what the provider itself lists, and any while it lists none.',
  }),
  modelsEveryMs: field.integer('STARLING_WORKER_MODELS_EVERY_MS', {
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: "Time between two looks at the provider's own list of models. Shorter follows a model that is loaded or pulled sooner, longer spares requests.",
  }),
  reportEveryMs: field.integer('STARLING_REPORT_EVERY_MS', {
    default: 250,
    min: 10,
    max: 300,
    unit: 'milliseconds',
    doc: 'Time between two load reports; changes are reported besides, together and within 25 ms. Longer spares messages and makes a lost one cost more.',
  }),
  coalesceMs: field.integer('STARLING_COALESCE_MS', {
    default: 40,
    min: 0,
    max: 1_000,
    unit: 'milliseconds',
    doc: 'Tokens of this long, or 1 kB of them, go out as one frame; the first text goes at once. Longer spares messages, shorter streams smoother.',
  }),
  drainDeadlineMs: field.integer('STARLING_WORKER_DRAIN_MS', {
    default: 60_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a worker that was told to stop may finish what it streams. What is left then is run again by another worker.',
  }),
} as const;
