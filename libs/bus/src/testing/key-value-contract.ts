import { expect, it, vi } from 'vitest';
import type { KeyValue, KeyValueSpec } from '../store-port.ts';
import { bytes, type CreateFixture, freshName, text } from './bus-fixture.ts';

/** A bucket of its own for each test. */
export function keyValueSpec(changes: Partial<KeyValueSpec> = {}): KeyValueSpec {
  return {
    name: freshName(),
    ttlMs: 600_000,
    maxBytes: 10_000_000,
    maxValueBytes: 100_000,
    ...changes,
  };
}

const wait = { timeout: 15_000, interval: 5 };

const valueAt = async (bucket: KeyValue, key: string): Promise<string | undefined> => {
  const entry = await bucket.get(key);
  return entry && text(entry.bytes);
};

/** Who wins a write, what is read back, and the bounds. */
export function keyValueContract(create: CreateFixture): void {
  it('creates a key once, and replaces only the revision that is named', async () => {
    await using fixture = await create();
    const bucket = await fixture.bus.openKeyValue(keyValueSpec());
    expect(await bucket.get('job.post.1')).toBe(undefined);
    const first = await bucket.create('job.post.1', bytes('a'));
    expect(first).toEqual({ ok: true, revision: 1 });
    expect(await bucket.create('job.post.1', bytes('b'))).toEqual({ ok: false });
    expect(await bucket.create('other', bytes('c'))).toEqual({ ok: true, revision: 2 });
    expect(await bucket.update('job.post.1', bytes('d'), { revision: 2 })).toEqual({ ok: false });
    expect(await bucket.update('none', bytes('d'), { revision: 1 })).toEqual({ ok: false });
    expect(await valueAt(bucket, 'job.post.1')).toBe('a');
    const updated = await bucket.update('job.post.1', bytes('e'), { revision: 1 });
    expect(updated).toEqual({ ok: true, revision: 3 });
    expect(await bucket.update('job.post.1', bytes('f'), { revision: 1 })).toEqual({ ok: false });
    const entry = await bucket.get('job.post.1');
    expect(entry).toMatchObject({ key: 'job.post.1', revision: 3 });
    expect(await valueAt(bucket, 'job.post.1')).toBe('e');
  });

  it('lets exactly one of many writers win each revision, across connections', async () => {
    await using fixture = await create();
    const spec = keyValueSpec();
    const buckets = await Promise.all(
      [fixture.bus, await fixture.another()].map((bus) => bus.openKeyValue(spec)),
    );
    let revision: number | undefined;
    for (let round = 0; round < 20; round += 1) {
      const writes = Array.from({ length: 8 }, async (_, at) => {
        const bucket = buckets[at % 2];
        const value = bytes(`${round} ${at}`);
        return revision === undefined
          ? await bucket?.create('key', value)
          : await bucket?.update('key', value, { revision });
      });
      const won = (await Promise.all(writes)).flatMap((result) => (result?.ok ? [result] : []));
      expect(won).toHaveLength(1);
      expect(won[0]?.revision).toBeGreaterThan(revision ?? 0);
      revision = won[0]?.revision;
    }
  });

  it('keeps what it was given, not what became of it', async () => {
    await using fixture = await create();
    const bucket = await fixture.bus.openKeyValue(keyValueSpec());
    const value = bytes('as sent');
    const writing = bucket.create('a', value);
    value.fill(0);
    await writing;
    (await bucket.get('a'))?.bytes.fill(0);
    expect(await valueAt(bucket, 'a')).toBe('as sent');
  });

  it('drops what was not written for its time; the key is free then', async () => {
    await using fixture = await create();
    const bucket = await fixture.bus.openKeyValue(keyValueSpec({ ttlMs: 300 }));
    await bucket.create('a', bytes('1'));
    await fixture.advance(600);
    await vi.waitFor(async () => expect(await bucket.get('a')).toBe(undefined), wait);
    expect(await bucket.update('a', bytes('2'), { revision: 1 })).toEqual({ ok: false });
    expect(await bucket.create('a', bytes('2'))).toEqual({ ok: true, revision: 2 });
  });

  it('drops what was written longest ago when it is full, and takes what is new', async () => {
    await using fixture = await create();
    const bucket = await fixture.bus.openKeyValue(keyValueSpec({ maxBytes: 20_000 }));
    for (let at = 0; at < 30; at += 1) {
      expect(await bucket.create(`k${at}`, new Uint8Array(1_000))).toMatchObject({ ok: true });
    }
    expect(await bucket.get('k0')).toBe(undefined);
    expect(await bucket.get('k29')).toBeDefined();
  });

  it('refuses what it does not take, and everything after the end', async () => {
    await using fixture = await create();
    const spec = keyValueSpec({ maxValueBytes: 1_000 });
    const bucket = await fixture.bus.openKeyValue(spec);
    const large = bucket.create('a', new Uint8Array(1_001));
    await expect(large).rejects.toMatchObject({ code: 'too_large' });
    for (const key of ['', 'a b', 'a..b', 'a.*', 'ä']) {
      await expect(bucket.create(key, bytes(''))).rejects.toThrow(TypeError);
      await expect(bucket.get(key)).rejects.toThrow(TypeError);
    }
    await fixture.bus[Symbol.asyncDispose]();
    const closed = { code: 'closed' };
    await expect(fixture.bus.openKeyValue(spec)).rejects.toMatchObject(closed);
    await expect(bucket.create('a', bytes(''))).rejects.toMatchObject(closed);
    await expect(bucket.update('a', bytes(''), { revision: 1 })).rejects.toMatchObject(closed);
    await expect(bucket.get('a')).rejects.toMatchObject(closed);
  });

  it('opens an existing bucket with a changed shape', async () => {
    await using fixture = await create();
    const spec = keyValueSpec({ maxValueBytes: 10 });
    const bucket = await fixture.bus.openKeyValue(spec);
    await expect(bucket.create('a', new Uint8Array(20))).rejects.toThrow();
    await fixture.bus.openKeyValue({ ...spec, maxValueBytes: 30, ttlMs: 60_000 });
    expect(await bucket.create('a', new Uint8Array(20))).toMatchObject({ ok: true });
  });
}
