import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '@starling/clock';

export interface ListenerOptions {
  readonly clock: Clock;
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** More connections are closed at once. */
  readonly connectionsMax: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  readonly onConnection: (socket: Socket) => void;
  /** A connection beyond `connectionsMax`. */
  readonly onRefused: () => void;
  readonly onRequest: RequestListener;
}

/** Time between attempts to get the own port back after a time of refusing. */
const reopenRetryMs = 100;
/** Attempts before the emulator gives up with an error: half a minute. */
const reopenAttemptsMax = 300;

/** A port that can refuse connections for a while and then listen again. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  #port = 0;
  #reopening: Disposable | undefined;
  #closed = false;
  #ended: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ keepAliveTimeout: options.keepAliveMs }, options.onRequest);
    this.#server.maxConnections = options.connectionsMax;
    this.#server.on('connection', options.onConnection);
    this.#server.on('drop', options.onRefused);
    // What is not HTTP gets 400 and is closed; a broken connection has nobody to tell.
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** @throws Node's error when the port is taken */
  async open(): Promise<void> {
    this.#server.listen({ port: this.#options.port, host: this.#options.host });
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get port(): number {
    return this.#port;
  }

  /** Drops every connection and has the system refuse new ones for so long. */
  refuse(durationMs: number): void {
    if (this.#closed) return;
    this.#reopening?.[Symbol.dispose]();
    if (this.#server.listening) this.#server.close();
    this.#server.closeAllConnections();
    this.#reopenIn(durationMs, reopenAttemptsMax);
  }

  /** Takes no new connection and closes idle ones; those in use go on. */
  stopTaking(): void {
    this.#stop();
    this.#server.closeIdleConnections();
  }

  /** Closes everything now. */
  async close(): Promise<void> {
    this.#stop();
    this.#server.closeAllConnections();
    await this.#ended;
  }

  #stop(): void {
    this.#closed = true;
    this.#reopening?.[Symbol.dispose]();
    if (this.#ended || !this.#server.listening) return;
    this.#ended = new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #reopenIn(delayMs: number, attempts: number): void {
    this.#reopening = this.#options.clock.schedule(delayMs, () => {
      const onError = (error: Error) => {
        if (attempts === 0)
          throw new Error(`port ${this.#port} cannot be taken back`, { cause: error });
        this.#reopenIn(reopenRetryMs, attempts - 1);
      };
      this.#server.once('error', onError);
      this.#server.listen({ port: this.#port, host: this.#options.host }, () =>
        this.#server.off('error', onError),
      );
    });
  }
}
