/** The one connection of a process: whether it is there, and what to do when it is back. */
import type { Clock } from '@starling/clock';
import type { NatsConnection, NatsConnectionImpl } from 'nats';
import { reportDisconnected, reportReconnected, reportServerError } from './bus-report.ts';
import { closedError } from './closed-error.ts';
import { toBusError } from './nats-errors.ts';
import { type Bus, BusError } from './port.ts';

/** What {@link NatsLink} is built from. */
export interface NatsLinkParts {
  readonly connection: NatsConnection;
  /** For log lines and errors: host and port, without credentials. */
  readonly address: string;
  readonly clock: Clock;
}

/** See the module's header. */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly #address: string;
  readonly #changes = new Set<() => void>();
  readonly #restored = new Set<() => void>();
  readonly #closed = new Set<() => void>();
  readonly #serverErrors = new Set<(error: unknown) => void>();
  #state: Bus['state'] = 'connected';

  constructor(parts: NatsLinkParts) {
    this.connection = parts.connection;
    this.clock = parts.clock;
    this.#address = parts.address;
    // Ends with the connection; its failures are told by the connection itself.
    void this.#watch();
    void this.connection.closed().then(() => this.#become('closed'));
  }

  get state(): Bus['state'] {
    return this.#state;
  }

  /** Calls back each time the connection was lost and is there again. */
  onRestored(callback: () => void): void {
    this.#restored.add(callback);
  }

  /** Calls back when it is over for good. */
  onClosed(callback: () => void): void {
    this.#closed.add(callback);
  }

  /** Calls back with what the server complains about, such as a subject that we may not use. */
  onServerError(callback: (error: unknown) => void): void {
    this.#serverErrors.add(callback);
  }

  /** Sends one command of the NATS protocol, after all that was sent before it. */
  send(frame: Uint8Array): void {
    // The client has no word of its own for this: its `publish` makes the command itself.
    (this.connection as NatsConnectionImpl).protocol.sendCommand(frame);
  }

  /** A failure of the client as one of ours; after the end, whatever it was, it is `closed`. */
  failure(error: unknown, what: string): BusError {
    if (this.#state !== 'closed' || error instanceof BusError) return toBusError(error, what);
    return new BusError('closed', `${what}: the bus is closed`, { cause: error });
  }

  /** Ends the connection; open requests fail with `closed`. */
  async close(): Promise<void> {
    this.#become('closed');
    await this.connection.close();
  }

  /** Throws what a call must throw that cannot be made now: `closed` for good, `unreachable` for now. */
  assertUp(): void {
    if (this.#state === 'closed') throw closedError();
    if (this.#state === 'reconnecting') {
      throw new BusError('unreachable', `the connection to NATS at ${this.#address} is lost`);
    }
  }

  /**
   * Waits for `work`, but no longer than until the state changes, `timeoutMs` pass or the signal
   * fires; undefined when one of these came first. It leaves no timer behind.
   */
  async within<T>(
    work: Promise<T>,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T | undefined> {
    const { timeoutMs, signal } = limits;
    const over = Promise.withResolvers<undefined>();
    const end = () => over.resolve(undefined);
    using _timer = this.clock.schedule(timeoutMs, end);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    this.#changes.add(end);
    try {
      return await Promise.race([work, over.promise]);
    } finally {
      this.#changes.delete(end);
      signal?.removeEventListener('abort', end);
    }
  }

  /** Resolves at the next change of state, after `timeoutMs`, or when the signal fires. */
  async nextChange(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    await this.within(new Promise<never>(() => {}), { timeoutMs, signal });
  }

  async #watch(): Promise<void> {
    let lostAtMs = 0;
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect' && this.#state === 'connected') {
        lostAtMs = this.clock.monotonicMs();
        this.#become('reconnecting');
        reportDisconnected(this.#address);
      } else if (status.type === 'reconnect') {
        this.#become('connected');
        reportReconnected(this.#address, this.clock.monotonicMs() - lostAtMs);
        for (const callback of this.#restored) callback();
      } else if (status.type === 'error') {
        reportServerError(status.error);
        for (const callback of this.#serverErrors) callback(status.error);
      }
    }
  }

  #become(state: Bus['state']): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    for (const end of [...this.#changes]) end();
    if (state === 'closed') for (const callback of this.#closed) callback();
  }
}
