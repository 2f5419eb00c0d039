import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it, vi } from 'vitest';
import type { JobStoreSpec } from '../store-port.ts';
import { bytes, type CreateFixture, freshName, text } from './bus-fixture.ts';
import { RecordedFeed } from './recorded-feed.ts';

/** A store of its own for each test, small. */
export function jobStoreSpec(changes: Partial<JobStoreSpec> = {}): JobStoreSpec {
  const name = freshName();
  const subjects = [`${name}.>`];
  return {
    name,
    subjects,
    maxMessages: 1_000,
    maxAgeMs: 600_000,
    dedupeWindowMs: 60_000,
    ...changes,
  };
}

const wait = { timeout: 15_000, interval: 5 };

/** What is stored, what feeds are told of it, and the bounds. */
export function jobStoreContract(create: CreateFixture): void {
  it('stores one message for each subject and id, and says which one stands', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const other = await (await fixture.another()).openJobStore(spec);
    const put = (subject: string, id: string, on = store) =>
      on.put(`${spec.name}.dm.${subject}`, bytes(`body ${id}`), { id });
    expect(await put('a', 'a')).toEqual({ duplicate: false, sequence: 1 });
    expect(await put('b', 'b', other)).toEqual({ duplicate: false, sequence: 2 });
    // The same again, another id under the subject, the same id under another subject.
    expect(await put('a', 'a', other)).toEqual({ duplicate: true, sequence: 1 });
    expect(await put('a', 'a2')).toEqual({ duplicate: true, sequence: 1 });
    expect(await put('c', 'b')).toEqual({ duplicate: true, sequence: 2 });
    expect(await store.size()).toBe(2);
    expect(text((await other.read(1))?.payload ?? bytes(''))).toBe('body a');
    // Within the window an id is known though its message is gone.
    await store.remove(1);
    expect(await put('d', 'a', other)).toEqual({ duplicate: true, sequence: 1 });
  });

  it('takes one of many puts of a job at once', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const stores = await Promise.all(
      [fixture.bus, await fixture.another()].map((bus) => bus.openJobStore(spec)),
    );
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        stores[at % 2]?.put(`${spec.name}.dm.a`, bytes(String(at)), { id: `a${at}` }),
      ),
    );
    expect(results.filter((result) => result?.duplicate === false)).toHaveLength(1);
    expect(new Set(results.map((result) => result?.sequence)).size).toBe(1);
  });

  it('reads a message by its sequence, with its headers and when it came', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const payload = bytes('as sent');
    const headers = { 'starling-guild': '1', traceparent: '00-1-2-01' };
    const storing = store.put(`${spec.name}.dm.a`, payload, { id: 'a', headers });
    payload.fill(0);
    const { sequence } = await storing;
    const read = await store.read(sequence);
    expect(read).toMatchObject({ sequence, subject: `${spec.name}.dm.a`, headers });
    expect(text(read?.payload ?? bytes(''))).toBe('as sent');
    expect(read?.headers).toEqual(headers);
    const [listed] = await store.list();
    expect(listed).toEqual({ ...listed, subject: read?.subject, storedAtMs: read?.storedAtMs });
    expect(read?.storedAtMs).toBeGreaterThan(1_600_000_000_000);
    expect(await store.read(sequence + 1)).toBe(undefined);
  });

  it('removes; twice, or what was never there, is harmless', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec({ dedupeWindowMs: 100 });
    const store = await fixture.bus.openJobStore(spec);
    const subject = `${spec.name}.dm.a`;
    const { sequence } = await store.put(subject, bytes('a'), { id: 'a' });
    await store.remove(sequence);
    await store.remove(sequence);
    await store.remove(sequence + 100);
    expect(await store.read(sequence)).toBe(undefined);
    expect(await store.size()).toBe(0);
    // Another id frees nothing that was taken: the subject is free again.
    expect(await store.put(subject, bytes('a'), { id: 'a2' })).toMatchObject({ duplicate: false });
  });

  it('discards without a word; every feed hears of it', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const other = await (await fixture.another()).openJobStore(spec);
    const feed = new RecordedFeed();
    await using _feed = await other.feed(feed.handler);
    const { sequence } = await store.put(`${spec.name}.dm.a`, bytes('a'), { id: 'a' });
    await store.put(`${spec.name}.dm.b`, bytes('b'), { id: 'b' });
    await vi.waitFor(() => expect(feed.subjects()).toHaveLength(2), wait);
    for (const which of [sequence, sequence, sequence + 100]) store.discard(which);
    await vi.waitFor(() => expect(feed.subjects()).toEqual([`${spec.name}.dm.b`]), wait);
    expect(await store.read(sequence)).toBe(undefined);
    expect(await store.size()).toBe(1);
  });

  it('lists headers in order, all of them or those under a pattern', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    expect(await store.list()).toEqual([]);
    for (const at of [1, 2, 3, 4, 5]) {
      const lane = at % 2 === 0 ? 'dm' : 'batch';
      const headers = { at: String(at) };
      await store.put(`${spec.name}.${lane}.${at}`, bytes('x'), { id: String(at), headers });
    }
    await store.remove(3);
    const at = async (pattern?: string) =>
      (await store.list(pattern)).map(({ headers }) => headers.at);
    expect(await at()).toEqual(['1', '2', '4', '5']);
    expect(await at(`${spec.name}.dm.*`)).toEqual(['2', '4']);
    expect(await at(`${spec.name}.interactive.*`)).toEqual([]);
  });

  it('feeds what is stored, then what comes and goes, to every reader', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const other = await (await fixture.another()).openJobStore(spec);
    const put = (id: string) =>
      store.put(`${spec.name}.dm.${id}`, bytes(id), { id, headers: { job: id } });
    const a = await put('a');
    await put('b');
    const mine = new RecordedFeed();
    const theirs = new RecordedFeed();
    await using _mine = await store.feed(mine.handler);
    await using _theirs = await other.feed(theirs.handler);
    await vi.waitFor(() => expect([mine.syncs, theirs.syncs]).toEqual([1, 1]), wait);
    expect(mine.subjects()).toEqual([`${spec.name}.dm.a`, `${spec.name}.dm.b`]);
    await put('c');
    await other.remove(a.sequence);
    for (const feed of [mine, theirs]) {
      await vi.waitFor(() => {
        expect(feed.subjects()).toEqual([`${spec.name}.dm.b`, `${spec.name}.dm.c`]);
      }, wait);
      expect(feed.told).toEqual(['reading', '+1', '+2', 'synced', ...feed.told.slice(4)]);
      expect(feed.told.slice(4).sort()).toEqual(['+3', '-1']);
      expect(feed.messages.get(3)?.headers).toEqual({ job: 'c' });
    }
  });

  it('says that an empty store is in view at once', async () => {
    await using fixture = await create();
    const store = await fixture.bus.openJobStore(jobStoreSpec());
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await vi.waitFor(() => expect(feed.told).toEqual(['reading', 'synced']), wait);
  });

  it('keeps a feed true while much comes and goes', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const other = await (await fixture.another()).openJobStore(spec);
    const feed = new RecordedFeed();
    await using _feed = await other.feed(feed.handler);
    const job = async (at: number) => {
      const subject = `${spec.name}.dm.${at}`;
      const { sequence } = await store.put(subject, bytes('x'), { id: String(at) });
      if (at % 3 !== 0) await (at % 2 === 0 ? store : other).remove(sequence);
    };
    await Promise.all(Array.from({ length: 300 }, (_, at) => job(at)));
    const left = (await store.list()).map(({ subject }) => subject);
    expect(left).toHaveLength(100);
    await vi.waitFor(() => expect(feed.subjects()).toEqual(left), wait);
    expect(feed.repeats).toEqual([]);
  });

  it('ends a feed when it is disposed, and outlives a handler that throws', async () => {
    await using telemetry = captureTelemetry();
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const put = (id: string) => store.put(`${spec.name}.dm.${id}`, bytes(id), { id });
    const seen: number[] = [];
    const throwing = await store.feed({
      stored: ({ sequence }) => {
        seen.push(sequence);
        throw new Error('broken');
      },
    });
    const feed = new RecordedFeed();
    await using _feed = await store.feed(feed.handler);
    await put('a');
    await vi.waitFor(() => expect(seen).toEqual([1]), wait);
    await put('b');
    await vi.waitFor(() => expect(seen).toEqual([1, 2]), wait);
    await throwing[Symbol.asyncDispose]();
    await put('c');
    await vi.waitFor(() => expect(feed.subjects()).toHaveLength(3), wait);
    expect(seen).toEqual([1, 2]);
    expect(telemetry.lines.map(({ event }) => event)).toEqual(Array(2).fill('handler.failed'));
  });

  it('refuses when it is full, but still knows a duplicate; a removal makes room', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec({ maxMessages: 2 });
    const store = await fixture.bus.openJobStore(spec);
    const put = (id: string) => store.put(`${spec.name}.dm.${id}`, bytes(id), { id });
    await put('a');
    await put('b');
    await expect(put('c')).rejects.toMatchObject({ code: 'full' });
    expect(await put('a')).toEqual({ duplicate: true, sequence: 1 });
    await store.remove(1);
    expect(await put('c')).toMatchObject({ duplicate: false });
  });

  it('forgets an id after the window, and a message after its age', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec({ dedupeWindowMs: 200, maxAgeMs: 400 });
    const store = await fixture.bus.openJobStore(spec);
    const put = (subject: string) =>
      store.put(`${spec.name}.dm.${subject}`, bytes('x'), { id: 'a' });
    await put('a');
    await fixture.advance(700);
    await vi.waitFor(async () => expect(await store.size()).toBe(0), wait);
    expect(await put('b')).toMatchObject({ duplicate: false });
  });

  it('refuses what cannot be stored, and everything after the end', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec();
    const store = await fixture.bus.openJobStore(spec);
    const large = store.put(`${spec.name}.dm.a`, new Uint8Array(1_048_577), { id: 'a' });
    await expect(large).rejects.toMatchObject({ code: 'too_large' });
    await expect(store.put('elsewhere', bytes(''), { id: 'a' })).rejects.toThrow(TypeError);
    await expect(store.list('a b')).rejects.toThrow(TypeError);
    expect(await store.size()).toBe(0);
    await store.feed(new RecordedFeed().handler);
    await fixture.bus[Symbol.asyncDispose]();
    const closed = { code: 'closed' };
    await expect(fixture.bus.openJobStore(spec)).rejects.toMatchObject(closed);
    const put = store.put(`${spec.name}.dm.a`, bytes(''), { id: 'a' });
    await expect(put).rejects.toMatchObject(closed);
    await expect(store.remove(1)).rejects.toMatchObject(closed);
    expect(() => store.discard(1)).not.toThrow();
    await expect(store.read(1)).rejects.toMatchObject(closed);
    await expect(store.list()).rejects.toMatchObject(closed);
    await expect(store.size()).rejects.toMatchObject(closed);
    await expect(store.feed(new RecordedFeed().handler)).rejects.toMatchObject(closed);
  });

  it('opens an existing store with a changed shape', async () => {
    await using fixture = await create();
    const spec = jobStoreSpec({ maxMessages: 1 });
    const store = await fixture.bus.openJobStore(spec);
    const put = (id: string) => store.put(`${spec.name}.dm.${id}`, bytes(id), { id });
    await put('a');
    await expect(put('b')).rejects.toMatchObject({ code: 'full' });
    await fixture.bus.openJobStore({ ...spec, maxMessages: 2 });
    expect(await put('b')).toMatchObject({ duplicate: false });
  });
}
