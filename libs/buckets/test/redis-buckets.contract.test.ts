import { systemClock } from '@starling/clock';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis } from '@starling/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisBuckets } from '../src/index.ts';
import { bucketsSuite } from '../src/testing.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server.stop();
});

const window = {
  key: 'w',
  limit: { kind: 'window', permits: 10, windowMs: 60_000 } as const,
  amount: 1,
};
const jobs = { key: 'c', limit: { kind: 'concurrency', permits: 2 } as const, amount: 1 };

async function connect(commandTimeoutMs = 2_000) {
  const redis = await connectRedis({
    url: server.url,
    commandTimeoutMs,
    connectTimeoutMs: 10_000,
    clock: systemClock,
  });
  await redis.command('FLUSHDB');
  return redis;
}

bucketsSuite('Redis', async () => {
  const redis = await connect();
  return {
    buckets: createRedisBuckets({ redis, clock: systemClock, giveUpMs: 2_000 }),
    pass: (ms) => systemClock.sleep(ms),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
});

describe('buckets in Redis', () => {
  it('refuse a reserve that runs after its caller gave up [D4]', async () => {
    const giveUpMs = 150;
    await using redis = await connect(giveUpMs);
    const buckets = createRedisBuckets({ redis, clock: systemClock, giveUpMs });
    const reserve = (id: string, amount: number) =>
      buckets.reserve({ id, holdMs: 5_000, asked: [{ ...window, amount }] });
    expect(await reserve('first', 1)).toMatchObject({ kind: 'reserved' });
    // Written now, run when the server goes on.
    process.kill(server.pid, 'SIGSTOP');
    await expect(reserve('late', 9)).rejects.toMatchObject({ code: 'timeout' });
    process.kill(server.pid, 'SIGCONT');
    expect(await reserve('next', 9)).toMatchObject({ kind: 'reserved', replay: false });
  });

  it('know the script again after the server forgot it', async () => {
    await using redis = await connect();
    const buckets = createRedisBuckets({ redis, clock: systemClock, giveUpMs: 2_000 });
    const asked = [jobs];
    await buckets.reserve({ id: 'a', holdMs: 5_000, asked });
    await redis.command('SCRIPT', 'FLUSH');
    expect(await buckets.reserve({ id: 'b', holdMs: 5_000, asked })).toMatchObject({
      kind: 'reserved',
    });
    expect(await buckets.reserve({ id: 'c', holdMs: 5_000, asked })).toMatchObject({
      kind: 'refused',
    });
  });

  it('leave nothing behind once all of it has ended', async () => {
    await using redis = await connect();
    const buckets = createRedisBuckets({ redis, clock: systemClock, giveUpMs: 2_000 });
    const asked = [
      jobs,
      { key: 'w', limit: { kind: 'window', permits: 9, windowMs: 100 } as const, amount: 1 },
      { key: 'r', limit: { kind: 'rate', permits: 9, perMs: 100, burst: 9 } as const, amount: 1 },
    ];
    await buckets.reserve({ id: 'a', holdMs: 50, asked });
    await buckets.reserve({ id: 'b', holdMs: 300, asked });
    await buckets.settle('b', asked);
    await buckets.settle('never held', [
      { ...jobs, key: 'none' },
      { ...window, key: 'none either' },
    ]);
    await expect
      .poll(() => redis.command('KEYS', '*'), { timeout: 5_000 })
      .toEqual(['starling:buckets:born']);
  });
});
