import { inspect } from 'node:util';
import { systemClock } from '@starling/clock';
import { freePort, type RunningServer, startRedisServer } from '@starling/harness';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectRedis, loadScript, type RedisConnection } from '../src/index.ts';

const commandTimeoutMs = 200;
const options = { commandTimeoutMs, connectTimeoutMs: 10_000, clock: systemClock };

describe('connectRedis', () => {
  let server: RunningServer;
  let redis: RedisConnection;
  beforeEach(async () => {
    server = await startRedisServer();
    redis = await connectRedis({ ...options, url: server.url });
  });
  afterEach(async () => {
    await redis[Symbol.asyncDispose]();
    await server.stop();
  });

  it('runs commands in order and gives their replies as they are', async () => {
    const replies = await Promise.all([
      redis.command('SET', 'a', 'ü'),
      redis.command('GET', 'a'),
      redis.command('INCRBY', 'n', 41),
      redis.command('GET', 'nothing'),
      redis.command('MGET', 'a', 'nothing', 'n'),
      redis.command('HSET', 'h', 'f', 1),
      redis.command('HGETALL', 'h'),
    ]);
    expect(replies).toEqual(['OK', 'ü', 41, null, ['ü', null, '41'], 1, ['f', '1']]);
  });

  it('says that Redis refused a command, without its arguments', async () => {
    await redis.command('SET', 'a', 'text');
    const failure = await redis.command('INCRBY', 'a', 414243444).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/^INCRBY: ERR/),
    });
    expect(everything(failure)).not.toContain('414243444');
    expect(redis.state).toBe('ready');
  });

  it('fails commands by timeout while Redis is stopped, and serves again when it goes on [D4]', async () => {
    process.kill(server.pid, 'SIGSTOP');
    await expect(redis.command('GET', 'a')).rejects.toMatchObject({ code: 'timeout' });
    // A connection that stays silent is given up; from then on nothing waits at all.
    await vi.waitFor(() => expect(redis.state).toBe('reconnecting'), { timeout: 10_000 });
    await expect(redis.command('GET', 'a')).rejects.toMatchObject({ code: 'unreachable' });
    process.kill(server.pid, 'SIGCONT');
    await vi.waitFor(() => expect(redis.state).toBe('ready'), { timeout: 10_000 });
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('fails at once while Redis is gone, in flight too; one log line for each change [E5]', async () => {
    await using telemetry = captureTelemetry();
    await redis.command('SET', 'kept', 'yes');
    process.kill(server.pid, 'SIGSTOP');
    const inFlight = expect(redis.command('GET', 'kept')).rejects.toMatchObject({
      code: 'timeout',
    });
    await server.kill();
    await inFlight;
    await vi.waitFor(() => expect(redis.state).toBe('reconnecting'));
    for (let tries = 0; tries < 20; tries += 1) {
      await expect(redis.command('GET', 'kept')).rejects.toMatchObject({ code: 'unreachable' });
    }
    await server.restart();
    await vi.waitFor(() => expect(redis.state).toBe('ready'), { timeout: 10_000 });
    expect(await redis.command('GET', 'kept')).toBe('yes');
    const events = telemetry.lines.map((line) => line.event);
    expect(events).toEqual(['connection.lost', 'connection.restored']);
    const failures = (await telemetry.metrics()).filter(
      (metric) => metric.name === 'starling.redis.failures',
    );
    expect(failures.map(({ attributes, value }) => [attributes.code, value])).toEqual([
      ['timeout', 1],
      ['unreachable', 20],
    ]);
  });

  it('never sends a command twice', async () => {
    process.kill(server.pid, 'SIGSTOP');
    await expect(redis.command('INCR', 'n')).rejects.toMatchObject({ code: 'timeout' });
    await vi.waitFor(() => expect(redis.state).toBe('reconnecting'), { timeout: 10_000 });
    process.kill(server.pid, 'SIGCONT');
    await vi.waitFor(() => expect(redis.state).toBe('ready'), { timeout: 10_000 });
    // It may have run, late; that is what `timeout` says. Twice it has not.
    expect(['0', '1']).toContain((await redis.command('GET', 'n')) ?? '0');
  });

  it('finishes what is in flight when it is disposed, then refuses; twice joins', async () => {
    const inFlight = redis.command('SET', 'a', '1');
    const ending = redis[Symbol.asyncDispose]();
    await Promise.all([ending, redis[Symbol.asyncDispose]()]);
    expect(await inFlight).toBe('OK');
    expect(redis.state).toBe('closed');
    await expect(redis.command('GET', 'a')).rejects.toMatchObject({ code: 'closed' });
  });

  describe('loadScript', () => {
    const lua =
      "redis.call('INCRBY', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}";

    it('runs a script the server does not know, and after SCRIPT FLUSH and a restart', async () => {
      const add = loadScript(redis, { name: 'add', lua, keys: 1 });
      expect(await add(['n'], [2])).toEqual(['n', '2']);
      expect(await add(['n'], [3])).toEqual(['n', '5']);
      await redis.command('SCRIPT', 'FLUSH');
      expect(await add(['n'], [1])).toEqual(['n', '6']);
      await server.kill();
      await server.restart();
      await vi.waitFor(() => expect(redis.state).toBe('ready'), { timeout: 10_000 });
      expect(await add(['n'], [1])).toEqual(['n', '7']);
    });

    it('is sent by its hash once the server knows it', async () => {
      const add = loadScript(redis, { name: 'add', lua, keys: 1 });
      await add(['n'], [1]);
      await redis.command('CONFIG', 'RESETSTAT');
      await add(['n'], [1]);
      const stats = String(await redis.command('INFO', 'commandstats'));
      expect(stats).toContain('cmdstat_evalsha:calls=1');
      expect(stats).not.toContain('cmdstat_eval:');
    });

    it('tells a mistake of the script from a server that is away', async () => {
      const broken = loadScript(redis, { name: 'broken', lua: 'return nonsense(', keys: 0 });
      await expect(broken([], [])).rejects.toMatchObject({ code: 'rejected' });
      await expect(broken(['one too many'], [])).rejects.toThrow(TypeError);
    });
  });
});

describe('connectRedis at start', () => {
  it('waits for a server that comes later', async () => {
    const port = await freePort();
    await using telemetry = captureTelemetry();
    const awaited = () => telemetry.lines.filter(({ event }) => event === 'server.awaited');
    const connecting = connectRedis({ ...options, url: `redis://127.0.0.1:${port}` });
    await vi.waitFor(() => expect(awaited()).toHaveLength(1));
    await using server = await startRedisServer({ port });
    await using redis = await connecting;
    expect(awaited()).toHaveLength(1);
    expect(await redis.command('PING')).toBe('PONG');
    expect(server.port).toBe(port);
  });

  it('says where it looked and what to do when none comes, and never the password', async () => {
    const url = `redis://someone:hush-hush@127.0.0.1:${await freePort()}`;
    const failure = await connectRedis({ ...options, connectTimeoutMs: 300, url }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+.*300 ms.*REDIS_URL/),
    });
    expect(everything(failure)).not.toContain('hush');
  });

  it('gives up the wait when it is told to', async () => {
    const stop = new AbortController();
    const url = `redis://127.0.0.1:${await freePort()}`;
    const waiting = { ...options, connectTimeoutMs: 600_000, signal: stop.signal };
    const connecting = connectRedis({ ...waiting, url });
    stop.abort(new Error('told to end'));
    await expect(connecting).rejects.toThrow('told to end');
  });

  it('gives up at once when Redis refuses the password', async () => {
    await using server = await startRedisServer();
    const url = server.url.replace('://', '://someone:hush-hush@');
    const failure = await connectRedis({ ...options, url }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/WRONGPASS.*check REDIS_URL/),
    });
    expect(everything(failure)).not.toContain('hush');
  });
});

/** All that a log could print of an error, its causes and hidden fields too. */
function everything(error: unknown): string {
  return inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
}
