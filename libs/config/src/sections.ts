/** Every setting of Starling, by the part that reads it. */
import { field } from './parse.ts';

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

/** Where Redis is. */
export const redisSection = {
  url: field.url('REDIS_URL', {
    default: 'redis://127.0.0.1:6379',
    protocols: ['redis:', 'rediss:'],
    doc: 'The Redis server that keeps conversations and the bounds on queued work. `npm start` sets it.',
  }),
  commandTimeoutMs: field.integer('STARLING_REDIS_COMMAND_TIMEOUT_MS', {
    default: 200,
    min: 10,
    max: 10_000,
    unit: 'milliseconds',
    doc: 'A Redis command that takes longer counts as failed. Shorter keeps answers quick while Redis is stuck, longer tolerates a slow disk.',
  }),
} as const;
