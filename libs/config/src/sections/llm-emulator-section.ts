import { field } from '../parse.ts';

/** The emulated LLM providers. */
export const llmEmulatorSection = {
  host: field.text('STARLING_LLM_EMULATOR_HOST', {
    default: '127.0.0.1',
    accepts: 'address',
    doc: 'The address that the provider emulator listens on. It has no lock on its control endpoints: leave loopback only inside a closed network.',
  }),
  port: field.integer('STARLING_LLM_EMULATOR_PORT', {
    default: 0,
    min: 0,
    max: 65_535,
    doc: 'The port of the provider emulator; 0 takes a free one and tells it with readiness. `npm start` sets it.',
  }),
  acceptedKeys: field.text('STARLING_LLM_EMULATOR_KEYS', {
    default: undefined,
    accepts: 'keys, separated by commas',
    secret: true,
    doc: 'The only keys that the provider emulator lets in. Unset lets everybody in, also without a key.',
  }),
  seed: field.integer('STARLING_LLM_EMULATOR_SEED', {
    default: 0,
    min: 0,
    max: 4_294_967_295,
    doc: 'Repeats the latencies and the faults of an earlier run, request by request in order of arrival; 0 draws anew each run.',
  }),
  timeScalePercent: field.integer('STARLING_LLM_EMULATOR_TIME_PERCENT', {
    default: 100,
    min: 0,
    max: 100_000,
    unit: 'per cent',
    doc: 'Every latency of the emulated models, in per cent of its own: 10 answers ten times faster, 0 at once, at the cost of being unlike a provider.',
  }),
  recordRequestsMax: field.integer('STARLING_LLM_EMULATOR_RECORD_MAX', {
    default: 20_000,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    doc: 'How many requests the emulator keeps one by one, about 1 kB each; limits are judged over these. More judges longer runs and takes memory.',
  }),
} as const;
