import { field } from '../parse.ts';

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
