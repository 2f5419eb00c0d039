import { systemClock } from '@starling/clock';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis } from '@starling/redis';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BucketLimit, createSharedBuckets, type SharedBuckets } from '../src/index.ts';

const commandTimeoutMs = 200;
/** A decision is a timeout and what a busy machine adds to it. */
const decisionMs = commandTimeoutMs + 150;
const minute: BucketLimit = { kind: 'window', permits: 100, windowMs: 60_000 };
const money: BucketLimit = {
  ...{ kind: 'period', money: true, permits: 1_000, endsAtMs: 9_999_999_999_999 },
};

describe('shared buckets', () => {
  let server: RunningServer;
  let stack: AsyncDisposableStack;
  beforeEach(async () => {
    server = await startRedisServer();
    stack = new AsyncDisposableStack();
    stack.defer(() => server.stop());
  });
  afterEach(() => stack.disposeAsync());

  const open = async (processId: string): Promise<SharedBuckets> => {
    const redis = stack.use(
      await connectRedis({
        url: server.url,
        commandTimeoutMs,
        connectTimeoutMs: 10_000,
        clock: systemClock,
      }),
    );
    const shared = await createSharedBuckets({
      ...{ redis, clock: systemClock, processId, group: 'test' },
      giveUpMs: commandTimeoutMs,
    });
    return stack.use(shared);
  };
  let calls = 0;
  const ask = (buckets: SharedBuckets, amount: number, limit: BucketLimit = minute) => {
    calls += 1;
    const asked = [{ key: limit.kind, limit, amount }];
    return buckets.reserve({ id: `call-${calls}`, holdMs: 120_000, asked });
  };
  /** How many of these calls are let through, and the longest that one of them took. */
  const drain = async (buckets: SharedBuckets, amount: number) => {
    let taken = 0;
    let longestMs = 0;
    for (;;) {
      const beganAtMs = systemClock.monotonicMs();
      const { kind } = await ask(buckets, amount);
      longestMs = Math.max(longestMs, systemClock.monotonicMs() - beganAtMs);
      if (kind === 'refused') return { taken, longestMs };
      taken += amount;
    }
  };

  it('go by a share while Redis is stopped, in time and within the limit, and come back [D4]', async () => {
    await using telemetry = captureTelemetry();
    const [one, other] = await Promise.all([open('one'), open('other')]);
    const events = () => telemetry.lines.map(({ event }) => event);
    expect(await ask(one, 60)).toMatchObject({ kind: 'reserved' });
    expect(await ask(other, 0)).toMatchObject({ kind: 'reserved' });
    // Each has announced itself again, and looked.
    await systemClock.sleep(1_300);

    process.kill(server.pid, 'SIGSTOP');
    // 40 are free, of which either has a half; one of them used more than its half of the limit before.
    const [ofOne, ofOther] = await Promise.all([drain(one, 1), drain(other, 1)]);
    expect([ofOne.taken, ofOther.taken]).toEqual([0, 20]);
    expect(Math.max(ofOne.longestMs, ofOther.longestMs)).toBeLessThan(decisionMs);
    expect([one.state, other.state]).toEqual(['degraded', 'degraded']);
    // Nobody waits for Redis any more, and nobody spends money that nobody counts.
    const beganAtMs = systemClock.monotonicMs();
    expect(await ask(one, 1, money)).toMatchObject({ kind: 'refused' });
    expect(systemClock.monotonicMs() - beganAtMs).toBeLessThan(50);

    process.kill(server.pid, 'SIGCONT');
    await vi.waitFor(() => expect([one.state, other.state]).toEqual(['guarded', 'guarded']), {
      timeout: 10_000,
    });
    expect(await ask(one, 1, money)).toMatchObject({ kind: 'reserved' });
    // Redis has been told of the 20.
    expect(await one.levels([{ key: 'window', limit: minute }])).toEqual([80]);
    // Both bind now, and its share is used up.
    expect((await drain(other, 1)).taken).toBe(0);
    expect(events().filter((event) => event.startsWith('buckets.'))).toEqual([
      ...['buckets.degraded', 'buckets.degraded'],
      ...['buckets.recovered', 'buckets.recovered'],
    ]);
  });

  it('let nobody use again what a Redis that comes back empty has forgotten [D2] [D4]', async () => {
    await using telemetry = captureTelemetry();
    const [one, other] = await Promise.all([open('one'), open('other')]);
    expect(await ask(one, 90)).toMatchObject({ kind: 'reserved' });
    expect(await ask(other, 0)).toMatchObject({ kind: 'reserved' });
    await systemClock.sleep(1_300);
    const redis = await connectRedis({
      url: server.url,
      commandTimeoutMs,
      connectTimeoutMs: 10_000,
      clock: systemClock,
    });
    await redis.command('FLUSHALL');
    await redis[Symbol.asyncDispose]();
    expect((await drain(other, 1)).taken).toBe(5);
    expect((await drain(one, 1)).taken).toBe(0);
    const events = telemetry.lines.map(({ event }) => event);
    expect(events.filter((event) => event === 'buckets.emptied')).toHaveLength(2);
  });

  it('decide at once while Redis is gone, and are shared again when it is back [D4]', async () => {
    const one = await open('one');
    await server.kill();
    await vi.waitFor(async () => expect(await ask(one, 1)).toMatchObject({ kind: 'reserved' }));
    expect(one.state).toBe('degraded');
    await server.restart();
    await vi.waitFor(() => expect(one.state).toBe('guarded'), { timeout: 10_000 });
    expect(await ask(one, 1)).toMatchObject({ kind: 'reserved' });
  });
});
