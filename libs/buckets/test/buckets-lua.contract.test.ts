import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '@starling/clock';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis, type RedisConnection } from '@starling/redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BucketEvent, type BucketReply, bucketsOf } from '../src/bucket-step.ts';
import type { BucketLimit, Buckets } from '../src/index.ts';
import { createRedisBuckets } from '../src/index.ts';
import { Model } from './bucket-model.ts';

const source = readFileSync(new URL('../src/buckets.lua', import.meta.url), 'utf8');
const hash = createHash('sha1').update(source).digest('hex');
/** The script as it is, but for what it is told when it asks for the time. */
const onOurTime = `
local seconds, microseconds = ARGV[#ARGV - 1], ARGV[#ARGV]
local server = redis
local redis = { call = function(name, ...)
  if name == 'TIME' then return { seconds, microseconds } end
  return server.call(name, ...)
end }
local function script()
${source}
end
return script()`;

/** Long ones, since Redis forgets a key by its own clock; no run takes longer than the shortest. */
const limits: Readonly<Record<string, BucketLimit>> = {
  minute: { kind: 'window', permits: 100, windowMs: 60_000 },
  hour: { kind: 'window', permits: 150, windowMs: 3_600_000 },
  jobs: { kind: 'concurrency', permits: 3 },
  user: { kind: 'rate', permits: 7, perMs: 60_000, burst: 40 },
  budget: { kind: 'period', permits: 400, endsAtMs: 1_700_086_400_000 },
};
const ids = ['a', 'b', 'c', 'd e', 'ü'];

const amount = fc.constantFrom(0, 1, 1, 2, 7, 30, 40, 41, 100, 101);
const keys = fc.uniqueArray(fc.constantFrom(...Object.keys(limits)), { minLength: 1 });
const id = fc.constantFrom(...ids);
const holdMs = fc.constantFrom(60_000, 90_000, 3_600_000);
const buckets = keys.map((names) => names.map((key) => ({ key, limit: limitOf(key) })));
const amounts = fc.tuple(buckets, fc.array(amount, { minLength: 5, maxLength: 5 }), fc.nat(31));
const asked = amounts.map(([names, each, spent]) =>
  names.map((bucket, at) => ({
    ...bucket,
    amount: each[at] ?? 0,
    spent: bucket.limit.kind !== 'concurrency' && (spent & (1 << at)) > 0,
  })),
);
const used = amounts.map(([names, each]) =>
  names.map((bucket, at) => ({ ...bucket, amount: each[at] ?? 0 })),
);
const event: fc.Arbitrary<BucketEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('reserve' as const), id, holdMs, asked }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), id, used }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('extend' as const), id, holdMs, buckets }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        key: fc.constantFrom(...Object.keys(limits)),
        permits: fc.option(fc.nat(120), { nil: undefined }),
        remaining: fc.option(fc.nat(60), { nil: undefined }),
        forMs: fc.constantFrom(0, 30_000, 60_000),
        blockedMs: fc.constantFrom(0, 0, 0, 10_000),
      })
      .map((told) => ({ kind: 'lower' as const, told: { ...told, limit: limitOf(told.key) } })),
  },
);
// Steps of a minute's window are 250 ms: what ends is looked at in the very millisecond, too.
const passesMs = fc.constantFrom(0, 1, 249, 250, 1_000, 29_999, 30_000, 59_999, 60_000, 60_250);
const history = fc.array(fc.record({ event, passesMs }), { maxLength: 30 });

function limitOf(key: string): BucketLimit {
  const limit = limits[key];
  if (!limit) throw new Error(key);
  return limit;
}

let server: RunningServer;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedisServer();
  const timeouts = { commandTimeoutMs: 2_000, connectTimeoutMs: 10_000 };
  redis = await connectRedis({ url: server.url, ...timeouts, clock: systemClock });
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await server.stop();
});

describe('the script of the buckets', () => {
  it('does on a real Redis what the pure rule does, step by step [D1]', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(999), async (steps, microseconds) => {
        await redis.command('FLUSHDB');
        let nowMs = 1_700_000_000_000;
        const timed = onTime(redis, () => [
          Math.floor(nowMs / 1_000),
          (nowMs % 1_000) * 1_000 + microseconds,
        ]);
        const clock = { ...systemClock, monotonicMs: () => nowMs };
        const real = createRedisBuckets({ redis: timed, clock, giveUpMs: 1_000 });
        const model = new Model();
        for (const step of steps) {
          nowMs += step.passesMs;
          const reply = await run(real, step.event);
          expect(reply).toEqual(model.run(step.event, nowMs));
          for (const { key, limit } of bucketsOf(step.event)) {
            expect({ key, ...(await standing(key, nowMs)) }).toEqual({
              key,
              ...model.standing({ key, limit }, nowMs),
            });
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** One event through the port. */
async function run(real: Buckets, happens: BucketEvent): Promise<BucketReply> {
  switch (happens.kind) {
    case 'reserve':
      return await real.reserve(happens);
    case 'settle':
      await real.settle(happens.id, happens.used);
      return { kind: 'settled' };
    case 'extend':
      return { kind: 'extended', whole: await real.extend(happens.id, happens) };
    case 'lower':
      await real.lower(happens.told);
      return { kind: 'lowered' };
    case 'sweep':
      return { kind: 'swept' };
  }
}

/** What stands in Redis of a bucket; what has ended may lie there until it is touched. */
async function standing(key: string, nowMs: number) {
  const flat = await redis.command('HGETALL', `starling:buckets:${key}`);
  const words = Array.isArray(flat) ? flat.map(String) : [];
  const holds: string[] = [];
  const uses: string[] = [];
  let tatUs = 0;
  let level = 0;
  for (let at = 0; at < words.length; at += 2) {
    const [field = '', value = ''] = words.slice(at, at + 2);
    if (field.startsWith('h')) holds.push(`${field.slice(1)}: ${value}`);
    if (field.startsWith('u')) uses.push(`${field.slice(1)}: ${value}`);
    if (field === 't') tatUs = Number(value);
    if (field === 'l') level = Number(value);
  }
  return { holds: holds.sort(), uses: uses.sort(), tatUs: Math.max(tatUs, nowMs * 1_000), level };
}

/** The connection, but that the script which is sent by its hash is told our time. */
function onTime(connection: RedisConnection, time: () => readonly number[]): RedisConnection {
  return {
    get state() {
      return connection.state;
    },
    command(name, ...args) {
      if (name === 'TIME') return Promise.resolve(time().map(String));
      if (name !== 'EVALSHA') return connection.command(name, ...args);
      const [sent, ...rest] = args;
      expect(sent).toBe(hash);
      return connection.command('EVAL', onOurTime, ...rest, ...time());
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
