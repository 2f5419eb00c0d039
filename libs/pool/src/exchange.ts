import type { Dispatcher } from 'undici';
import { connectionErrorFrom } from './connection-error.ts';

/** Takes a response as it comes, `head` first. A throw closes the socket and fails the exchange. */
export interface ResponseReader {
  /** @param header a header by its lower-case name; a repeated one is joined with commas */
  head(status: number, header: (name: string) => string | undefined): void;
  /** A piece of the body. @returns false when no more is wanted: the socket is closed, the exchange ends well */
  data(chunk: Uint8Array): boolean;
}

/** Tells undici why its request ends; the exchange has its own reason by then. */
class ExchangeOver extends Error {
  override readonly name = 'ExchangeOver';
}

/**
 * One request under way, as undici's handler: no stream object stands between the socket and the reader.
 * It ends once, whoever ends it; from then on the reader hears nothing.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Resolves when the response is whole, or the reader wants no more of it. */
  readonly ended: Promise<void>;
  readonly #reader: ResponseReader;
  readonly #settle: Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;

  constructor(reader: ResponseReader) {
    const { promise, ...settle } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#settle = settle;
    this.#reader = reader;
  }

  /** Closes the socket and fails the exchange with this reason, at once; nothing after the end. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle.reject(reason);
    this.#close();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was aborted while it waited for its socket.
    if (this.#over) this.#close();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (this.#over || status < 200) return;
    this.#read(() =>
      this.#reader.head(status, (name) => {
        const value = headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      }),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over) return;
    this.#read(() => {
      if (this.#reader.data(chunk)) return;
      this.#over = true;
      this.#settle.resolve();
      this.#close();
    });
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle.resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle.reject(connectionErrorFrom(error));
  }

  #read(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.abort(error);
    }
  }

  #close(): void {
    this.#controller?.abort(new ExchangeOver('the exchange is over'));
  }
}
