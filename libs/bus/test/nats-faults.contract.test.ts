import { inspect } from 'node:util';
import { systemClock } from '@starling/clock';
import { freePort, startNatsServer } from '@starling/harness';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it, vi } from 'vitest';
import { type Bus, connectNats, type NatsOptions } from '../src/index.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';
import { jobStoreSpec } from '../src/testing/job-store-contract.ts';
import { RecordedFeed } from '../src/testing/recorded-feed.ts';

const connect = (url: string, options: Partial<NatsOptions> = {}): Promise<Bus> =>
  connectNats({ url, name: 'faults', connectTimeoutMs: 10_000, clock: systemClock, ...options });

const wait = { timeout: 15_000, interval: 20 };
const waitMs = 20_000;

describe('a NATS server that is killed and comes back on its store', () => {
  it('has what it acknowledged, and tells it to a feed that was asked for meanwhile [B5]', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    const jobs = Array.from({ length: 50 }, (_, at) => `${spec.name}.dm.${at}`);
    for (const subject of jobs) await store.put(subject, bytes('a'), { id: subject });
    await server.kill();
    await vi.waitFor(() => expect(bus.state).toBe('reconnecting'), wait);
    const feed = new RecordedFeed();
    const opening = store.feed(feed.handler);
    await server.restart();
    await using _feed = await opening;
    await vi.waitFor(() => expect(feed.syncs).toBeGreaterThan(0), wait);
    expect(feed.subjects()).toEqual(jobs);
  });

  it('has its subscribers again; what is asked meanwhile fails at once', async () => {
    await using telemetry = captureTelemetry();
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    await bus.messaging.subscribe(`${spec.name}-echo`, (message) =>
      message.respond(message.payload),
    );
    await server.kill();
    await vi.waitFor(() => expect(bus.state).toBe('reconnecting'), wait);
    const gone = { code: 'unreachable' };
    const request = () =>
      bus.messaging.request(`${spec.name}-echo`, bytes('a'), { timeoutMs: waitMs });
    await expect(request()).rejects.toMatchObject(gone);
    const put = () => store.put(`${spec.name}.dm.a`, bytes('a'), { id: 'a' });
    await expect(put()).rejects.toMatchObject(gone);
    await expect(store.size()).rejects.toMatchObject(gone);
    await expect(bus.openJobStore(spec)).rejects.toMatchObject(gone);
    bus.messaging.publish(`${spec.name}-lost`, bytes('a'));
    const late = bus.messaging.subscribe(`${spec.name}-late`, (message) =>
      message.respond(bytes('here')),
    );
    await server.restart();
    await late;
    await vi.waitFor(() => expect(bus.state).toBe('connected'), wait);
    expect(text((await request()).payload)).toBe('a');
    expect(await put()).toEqual({ duplicate: false, sequence: 1 });
    const answer = await bus.messaging.request(`${spec.name}-late`, bytes(''), {
      timeoutMs: waitMs,
    });
    expect(text(answer.payload)).toBe('here');
    const events = telemetry.lines.map((line) => line.event);
    expect(events).toEqual(['connection.lost', 'messages.dropped', 'connection.restored']);
    const metrics = await telemetry.metrics();
    const dropped = metrics.find((metric) => metric.name === 'starling.bus.dropped');
    expect(dropped).toMatchObject({ value: 1, attributes: { why: 'disconnected' } });
  });

  it('goes on trying while its credentials are refused, and is back when they are taken', async () => {
    const port = await freePort();
    const user = 'someone';
    const startWith = (password: string) =>
      startNatsServer({ port, authorization: { user, password } });
    const first = await startWith('hush-hush');
    await using bus = await connect(first.url.replace('://', `://${user}:hush-hush@`));
    await using telemetry = captureTelemetry();
    await first.stop();
    const second = await startWith('hush-other');
    const refusals = () => telemetry.lines.filter(({ event }) => event === 'server.error').length;
    await vi.waitFor(() => expect(refusals()).toBeGreaterThan(2), wait);
    expect(bus.state).toBe('reconnecting');
    await second.stop();
    await using _third = await startWith('hush-hush');
    await vi.waitFor(() => expect(bus.state).toBe('connected'), wait);
    expect(inspect(telemetry.lines, { depth: 10 })).not.toContain('hush');
  });

  it('lets a bus be closed while it is away', async () => {
    await using server = await startNatsServer();
    const bus = await connect(server.url);
    const store = await bus.openJobStore(jobStoreSpec());
    await bus.messaging.subscribe('anything', () => {});
    await store.feed(new RecordedFeed().handler);
    await server.kill();
    await vi.waitFor(() => expect(bus.state).toBe('reconnecting'), wait);
    const late = bus.messaging.subscribe('late', () => {});
    const waiting = expect(late).rejects.toMatchObject({ code: 'closed' });
    await bus[Symbol.asyncDispose]();
    await waiting;
    expect(bus.state).toBe('closed');
    await expect(store.size()).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('connecting to NATS', () => {
  it('waits for a server that comes later', async () => {
    const port = await freePort();
    await using telemetry = captureTelemetry();
    const awaited = () => telemetry.lines.filter(({ event }) => event === 'server.awaited');
    const connecting = connect(`nats://127.0.0.1:${port}`);
    await vi.waitFor(() => expect(awaited()).toHaveLength(1), wait);
    await using server = await startNatsServer({ port });
    await using bus = await connecting;
    expect(awaited()).toHaveLength(1);
    expect(bus.state).toBe('connected');
    expect(server.port).toBe(port);
  });

  it('says where it looked and what to do when none comes, and never the password', async () => {
    const url = `nats://someone:hush-hush@127.0.0.1:${await freePort()}`;
    const failure = await connect(url, { connectTimeoutMs: 300 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+.*300 ms.*NATS_URL/),
    });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('hush');
  });

  it('gives up the wait when it is told to', async () => {
    const stop = new AbortController();
    const url = `nats://127.0.0.1:${await freePort()}`;
    const connecting = connect(url, { connectTimeoutMs: 600_000, signal: stop.signal });
    stop.abort(new Error('told to end'));
    await expect(connecting).rejects.toThrow('told to end');
  });

  it('uses the credentials of its address, and gives up at once when they are refused', async () => {
    const authorization = { user: 'someone', password: 'hush-hush' };
    await using server = await startNatsServer({ authorization });
    await using bus = await connect(server.url.replace('://', '://someone:hush-hush@'));
    expect(bus.state).toBe('connected');
    const wrong = server.url.replace('://', '://someone:hush-wrong@');
    const failure = await connect(wrong, { connectTimeoutMs: 600_000 }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('check NATS_URL'),
    });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('hush');
  });

  it('keeps to the size that the server takes, and keeps the connection', async () => {
    await using server = await startNatsServer({ maxPayloadBytes: 1_000 });
    await using bus = await connect(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    const tooLarge = { code: 'too_large' };
    const payload = new Uint8Array(1_001);
    expect(() => bus.messaging.publish('large', payload)).toThrow(
      expect.objectContaining(tooLarge),
    );
    const request = bus.messaging.request('large', payload, { timeoutMs: waitMs });
    await expect(request).rejects.toMatchObject(tooLarge);
    // The id is a header, and headers count.
    const id = 'a'.repeat(64);
    const put = (size: number) => store.put(`${spec.name}.dm.a`, new Uint8Array(size), { id });
    await expect(put(950)).rejects.toMatchObject(tooLarge);
    expect(await put(800)).toMatchObject({ duplicate: false });
    expect(bus.state).toBe('connected');
  });
});
