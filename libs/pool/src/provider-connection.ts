/**
 * One connection to a provider: one undici `Client` with pipelining 1, so that one stream is one
 * socket, an abort closes exactly that socket, and the provider sees the end at once. Building it
 * does no I/O and cannot fail; the socket is opened by the first request and again whenever the
 * provider closed it. HTTP/2 stays off: one dead session would take every stream of it along.
 */
import type { Clock } from '@starling/clock';
import { Client } from 'undici';
import { ConnectionError } from './connection-error.ts';
import { Exchange, type ResponseReader } from './exchange.ts';

/** How to reach a provider. */
export interface ConnectionOptions {
  /** Scheme, host and port, for example `https://api.openai.com`. */
  readonly origin: string;
  readonly clock: Clock;
  /** Milliseconds for a new socket, TLS included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that an unused socket is kept; a shorter hint of the provider wins. */
  readonly keepAliveMs: number;
  /** Called for each socket that was opened. */
  readonly onOpened?: () => void;
}

export interface ProviderRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborting closes the socket at once; the exchange then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** undici's own connect timer runs this much longer than ours: it only cleans up a lost socket. */
const connectBackstopMs = 1_000;

/** The resource of a {@link ConnectionPool}; serves one request at a time. */
export class ProviderConnection {
  readonly createdAtMs: number;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #connectTimeoutMs: number;
  #broken = false;

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock;
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.createdAtMs = options.clock.monotonicMs();
    this.#client = new Client(options.origin, {
      pipelining: 1,
      allowH2: false,
      connectTimeout: options.connectTimeoutMs + connectBackstopMs,
      keepAliveTimeout: options.keepAliveMs,
      // The timers of a call (first token, idle, total) are the caller's, on its clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    if (options.onOpened) this.#client.on('connect', options.onOpened);
  }

  /** True after a failure that says nothing good about the next request: do not lend it again. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Sends a request and hands the response to the reader. Resolves when that is whole.
   * @throws {ConnectionError}, the signal's reason when that was aborted, or what the reader threw
   */
  async exchange(request: ProviderRequest, reader: ResponseReader): Promise<void> {
    const { body, headers, method, path, signal } = request;
    signal.throwIfAborted();
    const exchange = new Exchange(reader);
    const onAbort = () => exchange.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    const connecting = this.#connectTimer((error) => exchange.abort(error));
    try {
      this.#client.dispatch({ method, path, headers, body: body ?? null }, exchange);
      await exchange.ended;
    } catch (error) {
      // An abort closed the socket; the client dials again for the next request.
      if (signal.aborted) throw signal.reason;
      this.#broken = true;
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      connecting?.[Symbol.dispose]();
    }
  }

  /** Closes the socket now; a request in flight fails. Harmless when repeated. */
  async destroy(): Promise<void> {
    this.#broken = true;
    await this.#client.destroy();
  }

  /** Runs until the socket stands. A kept socket needs none. */
  #connectTimer(onTimeout: (error: ConnectionError) => void): Disposable | undefined {
    if (this.#client.stats.connected) return undefined;
    const timeoutMs = this.#connectTimeoutMs;
    const timer = this.#clock.schedule(timeoutMs, () =>
      onTimeout(new ConnectionError('connect_timeout', `no connection in ${timeoutMs} ms`)),
    );
    const stop = () => timer[Symbol.dispose]();
    this.#client.once('connect', stop);
    return {
      [Symbol.dispose]: () => {
        this.#client.off('connect', stop);
        stop();
      },
    };
  }
}
