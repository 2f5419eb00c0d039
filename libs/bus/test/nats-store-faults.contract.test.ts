import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, RetentionPolicy } from '@nats-io/jetstream';
import { type Clock, systemClock } from '@starling/clock';
import { startNatsServer } from '@starling/harness';
import { captureTelemetry } from '@starling/telemetry/testing';
import { connect as connectClient } from 'nats';
import { describe, expect, it, vi } from 'vitest';
import { type Bus, connectNats, type JobStoreSpec } from '../src/index.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';
import { jobStoreSpec } from '../src/testing/job-store-contract.ts';
import { keyValueSpec } from '../src/testing/key-value-contract.ts';
import { RecordedFeed } from '../src/testing/recorded-feed.ts';

const wait = { timeout: 20_000, interval: 20 };

/** Time as it is, but a feed compares itself with the store every 0.2 s instead of every 10 s. */
const hurried: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) =>
    systemClock.schedule(delayMs === 10_000 ? 200 : delayMs, callback),
};

const connect = (url: string, clock = systemClock): Promise<Bus> =>
  connectNats({ url, name: 'faults', connectTimeoutMs: 10_000, clock });

/** A connection of its own that does what no adapter of ours does. */
async function stranger(url: string) {
  const connection = await connectClient({ servers: url.replace('nats://', '') });
  const manager = await jetstream(connection).jetstreamManager(false);
  return { manager, [Symbol.asyncDispose]: () => connection.close() };
}

const subjects = (spec: JobStoreSpec, ids: Iterable<number>) =>
  [...ids].map((id) => `${spec.name}.dm.${id}`);

async function putAll(bus: Bus, spec: JobStoreSpec, ids: Iterable<number>) {
  const store = await bus.openJobStore(spec);
  const puts = [...ids].map((id) =>
    store.put(`${spec.name}.dm.${id}`, bytes(`body ${id}`), { id: String(id) }),
  );
  return await Promise.all(puts);
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('a job store whose server is killed and comes back on its files', () => {
  it('has every message, and its feed tells the difference only [B5]', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    await using other = await connect(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    const placed = await putAll(bus, spec, range(1, 60));
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.messages.size).toBe(60), wait);
    for (const { sequence } of placed.slice(0, 20)) await store.remove(sequence);
    await server.kill();
    await vi.waitFor(() => expect(bus.state).toBe('reconnecting'), wait);
    const gone = { code: 'unreachable' };
    await expect(store.read(30)).rejects.toMatchObject(gone);
    await expect(store.remove(30)).rejects.toMatchObject(gone);
    await expect(store.list()).rejects.toMatchObject(gone);
    await expect(bus.openJobStore(spec)).rejects.toMatchObject(gone);
    await server.restart();
    await vi.waitFor(() => expect(other.state).toBe('connected'), wait);
    await putAll(other, spec, range(61, 70));
    await vi.waitFor(async () => {
      const left = (await store.list()).map(({ subject }) => subject);
      expect(feed.syncs).toBeGreaterThanOrEqual(2);
      expect(feed.subjects()).toEqual(left);
    }, wait);
    // What was stored is; of what was removed a crash may bring some back, never the other way round.
    expect(feed.subjects().slice(-50)).toEqual(subjects(spec, range(21, 70)));
    expect(text((await store.read(30))?.payload ?? bytes(''))).toBe('body 30');
    expect(feed.repeats).toEqual([]);
    expect(await putAll(bus, spec, [30])).toEqual([{ duplicate: true, sequence: 30 }]);
  });

  it('begins anew when its files are gone, and its feed says so', async () => {
    await using _telemetry = captureTelemetry();
    const storeDir = await mkdtemp(join(tmpdir(), 'starling-nats-store-'));
    await using server = await startNatsServer({ storeDir });
    await using bus = await connect(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    await putAll(bus, spec, range(1, 5));
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.messages.size).toBe(5), wait);
    await server.kill();
    await rm(storeDir, { recursive: true });
    await server.restart();
    await vi.waitFor(async () => {
      expect(await putAll(bus, spec, [9])).toMatchObject([{ sequence: 1 }]);
    }, wait);
    await vi.waitFor(() => expect(feed.subjects()).toEqual(subjects(spec, [9])), wait);
    expect(feed.repeats).toEqual([]);
    await rm(storeDir, { recursive: true, force: true });
  });
});

describe('a feed that misses something', () => {
  it('finds what was removed without a word, by comparing', async () => {
    await using telemetry = captureTelemetry();
    await using server = await startNatsServer();
    await using bus = await connect(server.url, hurried);
    await using somebody = await stranger(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    await putAll(bus, spec, range(1, 10));
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.messages.size).toBe(10), wait);
    for (const sequence of [2, 4])
      await somebody.manager.streams.deleteMessage(spec.name, sequence);
    const left = [1, 3, 5, 6, 7, 8, 9, 10];
    await vi.waitFor(() => expect(feed.subjects()).toEqual(subjects(spec, left)), wait);
    expect(feed.told.slice(12)).toEqual(['reading', '-2', '-4', 'synced']);
    const reads = telemetry.lines.filter(({ event }) => event === 'feed.read-anew');
    expect(reads.map(({ detail }) => detail.why)).toEqual(['difference']);
    // In step again: it compares on and reads no more.
    await putAll(bus, spec, [11]);
    await vi.waitFor(() => expect(feed.messages.size).toBe(9), wait);
    expect(feed.repeats).toEqual([]);
  });

  it('goes on when its consumer is gone at the server', async () => {
    await using telemetry = captureTelemetry();
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    await using somebody = await stranger(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.syncs).toBe(1), wait);
    for await (const { name } of somebody.manager.consumers.list(spec.name)) {
      await somebody.manager.consumers.delete(spec.name, name);
    }
    await putAll(bus, spec, range(1, 3));
    await vi.waitFor(() => expect(feed.subjects()).toEqual(subjects(spec, [1, 2, 3])), wait);
    const reads = telemetry.lines.filter(({ event }) => event === 'feed.read-anew');
    expect(reads).toHaveLength(1);
  });

  it('reads more than a server sends without being answered', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    const spec = jobStoreSpec({ maxMessages: 5_000 });
    const store = await bus.openJobStore(spec);
    await putAll(bus, spec, range(1, 5_000));
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.syncs).toBe(1), wait);
    expect(feed.messages.size).toBe(5_000);
    expect(await store.list()).toHaveLength(5_000);
  });

  it('leaves no consumer behind when it is disposed', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    await using somebody = await stranger(server.url);
    const spec = jobStoreSpec();
    const store = await bus.openJobStore(spec);
    const feed = new RecordedFeed();
    const disposable = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.syncs).toBe(1), wait);
    await store.list();
    await disposable[Symbol.asyncDispose]();
    await vi.waitFor(async () => {
      const { state } = await somebody.manager.streams.info(spec.name);
      expect(state.consumer_count).toBe(0);
    }, wait);
  });
});

describe('a bucket whose server is killed and comes back on its files', () => {
  it('has its values and revisions', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    await using other = await connect(server.url);
    const spec = keyValueSpec();
    const bucket = await bus.openKeyValue(spec);
    await bucket.create('a', bytes('1'));
    await server.kill();
    await vi.waitFor(() => expect(bus.state).toBe('reconnecting'), wait);
    const gone = { code: 'unreachable' };
    await expect(bucket.get('a')).rejects.toMatchObject(gone);
    await expect(bucket.create('b', bytes(''))).rejects.toMatchObject(gone);
    await server.restart();
    const states = () => [bus.state, other.state];
    await vi.waitFor(() => expect(states()).toEqual(['connected', 'connected']), wait);
    const theirs = await other.openKeyValue(spec);
    expect(await theirs.update('a', bytes('2'), { revision: 1 })).toEqual({
      ok: true,
      revision: 2,
    });
    expect(await theirs.create('b', bytes('3'))).toEqual({ ok: true, revision: 3 });
    expect(await bucket.update('a', bytes('9'), { revision: 1 })).toEqual({ ok: false });
  });

  it('begins anew when its files are gone', async () => {
    await using _telemetry = captureTelemetry();
    const storeDir = await mkdtemp(join(tmpdir(), 'starling-nats-store-'));
    await using server = await startNatsServer({ storeDir });
    await using bus = await connect(server.url);
    const bucket = await bus.openKeyValue(keyValueSpec());
    for (const at of range(1, 5)) await bucket.create(`k${at}`, bytes(`old ${at}`));
    await server.kill();
    await rm(storeDir, { recursive: true });
    await server.restart();
    await vi.waitFor(async () => {
      expect(await bucket.create('k1', bytes('new'))).toEqual({ ok: true, revision: 1 });
    }, wait);
    await rm(storeDir, { recursive: true, force: true });
  });
});

describe('opening a store', () => {
  it('reports what is of another kind under its name, and leaves it as it is', async () => {
    await using server = await startNatsServer();
    await using bus = await connect(server.url);
    await using somebody = await stranger(server.url);
    const spec = jobStoreSpec();
    const { name } = spec;
    const subjects = [...spec.subjects];
    // The shape in which earlier versions kept jobs.
    await somebody.manager.streams.add({ name, subjects, retention: RetentionPolicy.Workqueue });
    await somebody.manager.jetstream().publish(`${name}.dm.1`, bytes('a'));
    const opening = bus.openJobStore(spec);
    await expect(opening).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringMatching(/retention workqueue, 1 messages.*nats stream rm/),
    });
    expect((await somebody.manager.streams.info(name)).state.messages).toBe(1);
  });

  it('brings it to one shape when several processes do so at once', async () => {
    await using server = await startNatsServer();
    await using one = await connect(server.url);
    await using two = await connect(server.url);
    const spec = jobStoreSpec();
    const bucket = keyValueSpec();
    await Promise.all(
      [one, two, one, two].flatMap((bus, at) => [
        bus.openJobStore({ ...spec, maxMessages: 10 + at }),
        bus.openKeyValue({ ...bucket, maxBytes: 1_000_000 + at }),
      ]),
    );
    const small = { ...spec, maxMessages: 2 };
    expect(await putAll(one, small, [1, 2])).toHaveLength(2);
    await expect(putAll(two, small, [3])).rejects.toMatchObject({ code: 'full' });
  });
});
