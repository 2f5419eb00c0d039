import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { SimulatedClock, systemClock } from '@starling/clock';
import { describe, expect, it, vi } from 'vitest';
import { ConnectionPool, type PoolOptions } from '../src/index.ts';
import { readAll, startProviderServer } from './provider-server.ts';

const never = new AbortController().signal;

function poolAt(origin: string, changes: Partial<PoolOptions> = {}): ConnectionPool {
  return new ConnectionPool({
    origin,
    clock: systemClock,
    min: 0,
    max: 4,
    maxWaiters: 8,
    acquireTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    lifetimeMs: 3_600_000,
    idleMs: 60_000,
    ...changes,
  });
}

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

describe('ConnectionPool', () => {
  it('reuses its sockets for more than 90 % of the streams [C2]', async () => {
    await using server = await startProviderServer((_, response) => {
      response.write('a');
      setImmediate(() => response.end('b'));
    });
    await using pool = poolAt(server.origin);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let turn = 0; turn < 25; turn += 1) {
          using lease = await pool.acquire({ signal: never });
          expect((await readAll(lease.connection)).text).toBe('ab');
        }
      }),
    );
    const stats = pool.stats();
    expect(stats.lent).toBe(100);
    expect(stats.opened).toBe(server.opened());
    expect(stats.reuse).toBeGreaterThan(0.9);
    expect(stats.borrowed).toBe(0);
  });

  it('leaves the event loop free while a provider refuses every connection [C2]', async () => {
    await using pool = poolAt(`http://127.0.0.1:${await closedPort()}`);
    let fired = false;
    using _timer = systemClock.schedule(1, () => {
      fired = true;
    });
    for (let call = 0; call < 50; call += 1) {
      using lease = await pool.acquire({ signal: never });
      await expect(readAll(lease.connection)).rejects.toMatchObject({ code: 'refused' });
    }
    expect(fired).toBe(true);
    expect(pool.stats()).toMatchObject({ borrowed: 0, waiters: 0, opened: 0 });
  });

  it('closes the upstream socket when the stream is aborted, and dials again after [A10] [C2]', async () => {
    let streaming = 0;
    await using server = await startProviderServer((_, response) => {
      streaming += 1;
      response.write('first');
      if (streaming > 1) response.end();
    });
    await using pool = poolAt(server.origin);
    const abort = new AbortController();
    {
      using lease = await pool.acquire({ signal: never });
      const reading = readAll(lease.connection, { signal: abort.signal }, () => {
        abort.abort(new Error('enough'));
        return true;
      });
      await expect(reading).rejects.toThrow('enough');
    }
    await vi.waitFor(() => expect(server.open()).toBe(0));
    using lease = await pool.acquire({ signal: never });
    expect((await readAll(lease.connection)).text).toBe('first');
    expect(server.opened()).toBe(2);
  });

  it('closes the upstream socket when the reader breaks off', async () => {
    await using server = await startProviderServer((_, response) => {
      response.write('endless');
    });
    await using pool = poolAt(server.origin);
    using lease = await pool.acquire({ signal: never });
    expect((await readAll(lease.connection, {}, () => false)).text).toBe('endless');
    await vi.waitFor(() => expect(server.open()).toBe(0));
  });

  it('takes a connection back once, however often it is given [B1]', async () => {
    await using pool = poolAt('http://127.0.0.1:9');
    const lease = await pool.acquire({ signal: never });
    lease.release();
    lease.release();
    lease.destroy();
    lease[Symbol.dispose]();
    expect(pool.stats()).toMatchObject({ size: 1, borrowed: 0 });
    using first = await pool.acquire({ signal: never });
    using second = await pool.acquire({ signal: never });
    expect(first.connection).not.toBe(second.connection);
  });

  it('does not lend a connection again that was destroyed', async () => {
    await using pool = poolAt('http://127.0.0.1:9');
    const lease = await pool.acquire({ signal: never });
    const first = lease.connection;
    lease.destroy();
    using next = await pool.acquire({ signal: never });
    expect(next.connection).not.toBe(first);
  });

  it('gives a connection to the next in line when the caller before it gave up', async () => {
    await using pool = poolAt('http://127.0.0.1:9', { max: 1 });
    const holder = await pool.acquire({ signal: never });
    const abort = new AbortController();
    const impatient = pool.acquire({ signal: abort.signal });
    const patient = pool.acquire({ signal: never });
    abort.abort(new Error('no longer'));
    await expect(impatient).rejects.toThrow('no longer');
    expect(pool.stats()).toMatchObject({ borrowed: 1, waiters: 1 });
    holder.release();
    (await patient).release();
    await vi.waitFor(() => expect(pool.stats()).toMatchObject({ borrowed: 0, waiters: 0 }));
  });

  it('refuses the caller over its bound of waiters, and says so', async () => {
    await using pool = poolAt('http://127.0.0.1:9', { max: 2, maxWaiters: 1 });
    const first = pool.acquire({ signal: never });
    const second = pool.acquire({ signal: never });
    const waiting = pool.acquire({ signal: never });
    await expect(pool.acquire({ signal: never })).rejects.toMatchObject({ code: 'full' });
    (await first).release();
    (await second).release();
    (await waiting).release();
  });

  it('gives up waiting after its acquire timeout', async () => {
    await using pool = poolAt('http://127.0.0.1:9', { max: 1, acquireTimeoutMs: 20 });
    using _holder = await pool.acquire({ signal: never });
    await expect(pool.acquire({ signal: never })).rejects.toMatchObject({ code: 'timeout' });
    expect(pool.stats().waiters).toBe(0);
  });

  it('replaces a connection at the end of its lifetime, idle or lent [C2]', async () => {
    const clock = new SimulatedClock();
    await using pool = poolAt('http://127.0.0.1:9', { clock, lifetimeMs: 3_600_000 });
    const young = await pool.acquire({ signal: never });
    const { connection } = young;
    young.release();
    const same = await pool.acquire({ signal: never });
    expect(same.connection).toBe(connection);
    await clock.advance(3_600_000);
    same.release();
    const replaced = await pool.acquire({ signal: never });
    expect(replaced.connection).not.toBe(connection);
    replaced.release();
    await clock.advance(3_600_000);
    using again = await pool.acquire({ signal: never });
    expect(again.connection).not.toBe(replaced.connection);
  });

  it('closes what is idle, down to its minimum, and never what is lent [C2]', async () => {
    await using pool = poolAt('http://127.0.0.1:9', { min: 1, max: 4, idleMs: 5 });
    const leases = await Promise.all(
      Array.from({ length: 4 }, () => pool.acquire({ signal: never })),
    );
    const kept = leases.pop();
    for (const lease of leases) lease.release();
    await vi.waitFor(() => expect(pool.stats().size).toBe(2));
    expect(kept?.connection.broken).toBe(false);
    kept?.release();
    await vi.waitFor(() => expect(pool.stats().size).toBe(1));
  });

  it('fails streams and waiters when it closes, and lends nothing after', async () => {
    await using server = await startProviderServer((_, response) => {
      response.write('endless');
    });
    const pool = poolAt(server.origin, { max: 1 });
    const lease = await pool.acquire({ signal: never });
    const begun = Promise.withResolvers<void>();
    const reading = readAll(lease.connection, {}, () => {
      begun.resolve();
      return true;
    });
    await begun.promise;
    const ends = Promise.allSettled([reading, pool.acquire({ signal: never })]);
    await Promise.all([pool[Symbol.asyncDispose](), pool[Symbol.asyncDispose]()]);
    expect(await ends).toMatchObject([
      { status: 'rejected', reason: { name: 'ConnectionError', code: 'destroyed' } },
      { status: 'rejected', reason: { name: 'PoolError', code: 'closed' } },
    ]);
    await expect(pool.acquire({ signal: never })).rejects.toMatchObject({ code: 'closed' });
    await vi.waitFor(() => expect(server.open()).toBe(0));
  });
});
