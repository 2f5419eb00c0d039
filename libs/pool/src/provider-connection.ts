/**
 * One connection to a provider: one undici `Client` with pipelining 1, so that one stream is one
 * socket, an abort closes exactly that socket, and the provider sees the end at once. Building it
 * does no I/O and cannot fail; the socket is opened by the first request and again whenever the
 * provider closed it. HTTP/2 stays off: one dead session would take every stream of it along.
 */
import type { Clock } from '@starling/clock';
import { Client } from 'undici';
import { ConnectionError, connectionErrorFrom } from './connection-error.ts';

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
  /** Aborting closes the socket; the request or the body then throws the signal's reason. */
  readonly signal: AbortSignal;
}

export interface ProviderResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Chunks as they come. To break out of it closes the socket. */
  readonly body: AsyncIterable<Uint8Array>;
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
   * Sends a request. Resolves with the response's head.
   * @throws {ConnectionError}, or the signal's reason when that was aborted
   */
  async request(request: ProviderRequest): Promise<ProviderResponse> {
    const connecting = new AbortController();
    using _timer = this.#connectTimer(connecting);
    try {
      const response = await this.#client.request({
        method: request.method,
        path: request.path,
        headers: request.headers,
        ...(request.body !== undefined && { body: request.body }),
        signal: AbortSignal.any([request.signal, connecting.signal]),
      });
      return {
        status: response.statusCode,
        headers: joined(response.headers),
        body: this.#read(response.body, request.signal),
      };
    } catch (error) {
      throw this.#failure(error, request.signal, connecting.signal);
    }
  }

  /** Closes the socket now; a request in flight fails. Harmless when repeated. */
  async destroy(): Promise<void> {
    this.#broken = true;
    await this.#client.destroy();
  }

  async *#read(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#failure(error, signal);
    }
  }

  /** Runs until the socket stands. A kept socket needs none. */
  #connectTimer(connecting: AbortController): Disposable {
    if (this.#client.stats.connected) return { [Symbol.dispose]: () => {} };
    const timer = this.#clock.schedule(this.#connectTimeoutMs, () =>
      connecting.abort(
        new ConnectionError('connect_timeout', `no connection in ${this.#connectTimeoutMs} ms`),
      ),
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

  #failure(error: unknown, wanted: AbortSignal, connecting?: AbortSignal): unknown {
    // An abort closed the socket; the client dials again for the next request.
    if (wanted.aborted) return wanted.reason;
    this.#broken = true;
    return connectionErrorFrom(connecting?.aborted ? connecting.reason : error);
  }
}

function joined(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
