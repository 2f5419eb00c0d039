import { createRedisBuckets } from '@starling/buckets';
import { systemClock } from '@starling/clock';
import { jobId, userId } from '@starling/contracts';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis, type RedisConnection } from '@starling/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AdmissionBounds, createAdmission } from '../src/index.ts';
import { admissionSuite } from '../src/testing.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server.stop();
});

async function connect() {
  const redis = await connectRedis({
    url: server.url,
    commandTimeoutMs: 2_000,
    connectTimeoutMs: 10_000,
    clock: systemClock,
  });
  await redis.command('FLUSHDB');
  return redis;
}

function admissionOn(redis: RedisConnection, bounds: AdmissionBounds) {
  const clock = systemClock;
  const buckets = createRedisBuckets({ redis, clock, giveUpMs: 2_000 });
  return createAdmission({ ...bounds, buckets, clock });
}

admissionSuite('Redis', async (bounds) => {
  const redis = await connect();
  return {
    admission: admissionOn(redis, bounds),
    nowMs: () => systemClock.nowMs(),
    pass: (ms) => systemClock.sleep(ms),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
});

it('leaves nothing behind in Redis once the holds are over', async () => {
  await using redis = await connect();
  const admission = admissionOn(redis, { perUser: 3, perGuild: 30 });
  const owner = { jobId: jobId.parse('job-1'), userId: userId.parse('400000000000000000') };
  await admission.admit(owner, { holdMs: 50 });
  await expect
    .poll(() => redis.command('KEYS', '*'), { timeout: 5_000 })
    .toEqual(['starling:buckets:born']);
});
