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
  replicas: field.oneOf('STARLING_NATS_REPLICAS', {
    default: 1,
    values: [1, 3, 5],
    doc: 'On how many servers of a NATS cluster `JOBS`, `LEDGER`, `DEADLETTERS` and `PROBES` are kept. 3 survives the loss of one server and its disk, 5 of two; each write then waits for a majority, and each read for the leader. The same for every process. What is kept on more servers stays there: `nats stream edit` takes copies away.',
  }),
} as const;
