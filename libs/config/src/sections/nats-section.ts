import { field } from '../parse.ts';

/** Where NATS is. */
export const natsSection = {
  url: field.url('NATS_URL', {
    default: 'nats://127.0.0.1:4222',
    protocols: ['nats:', 'tls:'],
    doc: 'The NATS server that carries jobs, frames and load reports. `npm start` sets it.',
  }),
  connectTimeoutMs: field.integer('STARLING_CONNECT_TIMEOUT_MS', {
    default: 15_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a process waits at start for NATS and Redis before it gives up with a clear error. Longer survives slow start-ups, shorter reports a wrong address sooner.',
  }),
} as const;
