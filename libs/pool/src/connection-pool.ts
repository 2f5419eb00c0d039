/**
 * Provider connections, lent one stream each by generic-pool: one pool a provider and key. What that
 * library gets wrong is closed off here:
 * - a `create` that rejects spins its dispatcher for ever without yielding to the event loop, so the
 *   resource is built without I/O and cannot fail;
 * - its hard idle timeout evicts below `min` and its evictor is off by default, so only the soft one
 *   is used, and switched on;
 * - it knows no AbortSignal and no lifetime, and it fails a second release;
 * - its bound on waiters is checked before those who only wait for a `create` are served, so the
 *   bound is kept here.
 */
import type { Clock } from '@starling/clock';
import { createPool, type Pool } from 'generic-pool';
import { PoolError } from './pool-error.ts';
import { ProviderConnection } from './provider-connection.ts';

/** Settings of a {@link ConnectionPool}. Times are milliseconds. */
export interface PoolOptions {
  readonly origin: string;
  readonly clock: Clock;
  /** Connections kept even when idle; they cost a few kilobytes, their sockets close when unused. */
  readonly min: number;
  readonly max: number;
  /** Callers that may wait for a connection; the next one fails with `full`. */
  readonly maxWaiters: number;
  readonly acquireTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** A connection older than this is replaced when it is lent or comes back. */
  readonly lifetimeMs: number;
  /** A connection idle for this long is closed, down to `min`. */
  readonly idleMs: number;
}

/** A connection on loan. It comes back exactly once, whichever of the ways is taken first. */
export interface ConnectionLease extends Disposable {
  readonly connection: ProviderConnection;
  /** The stream ended; the connection may serve the next one. Disposing does the same. */
  release(): void;
  /** The connection is not to be used again. */
  destroy(): void;
}

/** A pool at one moment, and since its start. */
export interface PoolStats {
  readonly max: number;
  readonly size: number;
  readonly borrowed: number;
  readonly waiters: number;
  /** Streams that had a connection. */
  readonly lent: number;
  /** Sockets that were opened for them. */
  readonly opened: number;
  /** Share of the streams that found an open socket, 0 to 1 (features C2). */
  readonly reuse: number;
}

/** How often generic-pool looks for idle connections. */
const evictionRunIntervalMs = 30_000;

/** Lends connections of one provider and key. */
export class ConnectionPool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #pool: Pool<ProviderConnection>;
  readonly #leases = new Set<ConnectionLease>();
  /** How to tell each caller that waits that it waits in vain. */
  readonly #waiters = new Set<(reason: unknown) => void>();
  #lent = 0;
  #opened = 0;
  #closed: Promise<void> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#pool = createPool<ProviderConnection>(
      {
        create: async () =>
          new ProviderConnection({
            origin: options.origin,
            clock: options.clock,
            connectTimeoutMs: options.connectTimeoutMs,
            keepAliveMs: options.idleMs,
            onOpened: () => {
              this.#opened += 1;
            },
          }),
        destroy: (connection) => connection.destroy(),
        validate: async (connection) => this.#lendable(connection),
      },
      {
        min: options.min,
        max: options.max,
        testOnBorrow: true,
        // The connection used last comes first: its socket is the likeliest to stand.
        fifo: false,
        acquireTimeoutMillis: options.acquireTimeoutMs,
        evictionRunIntervalMillis: Math.min(evictionRunIntervalMs, options.idleMs),
        numTestsPerEvictionRun: options.max,
        softIdleTimeoutMillis: options.idleMs,
        idleTimeoutMillis: Number.MAX_SAFE_INTEGER,
      },
    );
  }

  /**
   * Borrows a connection, waiting for one at most `acquireTimeoutMs`.
   * @throws {PoolError} `full`, `timeout`, `closed`; or the signal's reason when it aborts first
   */
  async acquire(options: { readonly signal: AbortSignal }): Promise<ConnectionLease> {
    options.signal.throwIfAborted();
    if (this.#closed !== undefined) throw new PoolError('closed', 'the pool is closed');
    // A caller who gave up still stands in generic-pool's queue until its turn: it counts.
    const { borrowed, pending } = this.#pool;
    if (borrowed + pending >= this.#options.max + this.#options.maxWaiters) {
      throw new PoolError('full', `${pending} callers wait already`);
    }
    const wanted = Promise.withResolvers<ConnectionLease>();
    const giveUp = (reason: unknown) => {
      this.#waiters.delete(giveUp);
      wanted.reject(reason);
    };
    const onAbort = () => giveUp(options.signal.reason);
    options.signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.add(giveUp);
    this.#pool.acquire().then(
      (connection) => {
        const lease = this.#leaseOf(connection);
        // Nobody waits for it any more: it goes back the moment it arrives.
        if (!this.#waiters.delete(giveUp)) return lease.release();
        this.#lent += 1;
        wanted.resolve(lease);
      },
      // The factory cannot fail and a closed pool is not asked, so this is the timeout.
      () => giveUp(new PoolError('timeout', `none free in ${this.#options.acquireTimeoutMs} ms`)),
    );
    try {
      return await wanted.promise;
    } finally {
      options.signal.removeEventListener('abort', onAbort);
    }
  }

  stats(): PoolStats {
    return {
      max: this.#options.max,
      size: this.#pool.size,
      borrowed: this.#pool.borrowed,
      waiters: this.#waiters.size,
      lent: this.#lent,
      opened: this.#opened,
      reuse: this.#lent === 0 ? 1 : Math.max(0, 1 - this.#opened / this.#lent),
    };
  }

  /** Closes every connection now; streams in flight fail, waiters are told. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const giveUp of [...this.#waiters]) giveUp(new PoolError('closed', 'the pool is closed'));
    for (const lease of [...this.#leases]) lease.destroy();
    await this.#pool.drain();
    await this.#pool.clear();
  }

  #leaseOf(connection: ProviderConnection): ConnectionLease {
    const settle = (reusable: boolean) => {
      if (!this.#leases.delete(lease)) return;
      const settled =
        reusable && this.#lendable(connection)
          ? this.#pool.release(connection)
          : this.#pool.destroy(connection);
      // It rejects only for a connection that is not on loan, which the set above rules out.
      void settled.catch(() => {});
    };
    const lease: ConnectionLease = {
      connection,
      release: () => settle(true),
      destroy: () => settle(false),
      [Symbol.dispose]: () => settle(true),
    };
    this.#leases.add(lease);
    return lease;
  }

  #lendable(connection: ProviderConnection): boolean {
    const ageMs = this.#options.clock.monotonicMs() - connection.createdAtMs;
    return !connection.broken && ageMs < this.#options.lifetimeMs;
  }
}
