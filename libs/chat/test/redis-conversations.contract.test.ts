import { systemClock } from '@starling/clock';
import { channelId } from '@starling/contracts';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis } from '@starling/redis';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisConversations } from '../src/redis-conversations.ts';
import { conversationsSuite } from '../src/testing.ts';

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

conversationsSuite('Redis', async (bounds) => {
  const redis = await connect();
  return {
    conversations: createRedisConversations({ ...bounds, redis }),
    pass: (ms) => systemClock.sleep(ms),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
});

describe('a stored conversation that cannot be read', () => {
  const channel = channelId.parse('200000000000000000');
  const key = `starling:conversation:${channel}`;
  const bounds = { maxMessages: 20, ttlMs: 60_000 };

  it('is set aside and counted, turn by turn, and the rest is used', async () => {
    await using telemetry = captureTelemetry();
    await using redis = await connect();
    const good = {
      messageId: '1400000000000000001',
      speaker: { id: '400000000000000000', name: 'Ada' },
      question: 'q',
      answer: 'a',
    };
    await redis.command('ZADD', key, 1, 'not json');
    await redis.command('ZADD', key, 2, JSON.stringify({ ...good, speaker: { id: 'x' } }));
    await redis.command('ZADD', key, 3, JSON.stringify(good));
    const conversations = createRedisConversations({ ...bounds, redis });
    expect(await conversations.recent(channel)).toEqual([good]);
    await expect.poll(() => redis.command('ZCARD', key)).toBe(1);
    await expect.poll(() => redis.command('LLEN', `${key}:quarantine`)).toBe(2);
    expect(
      (await telemetry.metrics()).find(({ name }) => name.includes('quarantined'))?.value,
    ).toBe(2);
  });

  it('is set aside whole when it is something else altogether', async () => {
    await using _telemetry = captureTelemetry();
    await using redis = await connect();
    await redis.command('SET', key, 'what is this');
    const conversations = createRedisConversations({ ...bounds, redis });
    expect(await conversations.recent(channel)).toEqual([]);
    await expect.poll(() => redis.command('GET', `${key}:unknown`)).toBe('what is this');
    expect(await redis.command('EXISTS', key)).toBe(0);
  });
});
