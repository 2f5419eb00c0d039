import type { StreamPart } from './provider.ts';

/**
 * Parts of an answer on their way from the socket, which does not wait, to the one who reads them. One
 * answer is bounded, and so is what can wait here.
 */
export class PartQueue {
  #parts: StreamPart[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  push(part: StreamPart): void {
    this.#parts.push(part);
    this.#wake?.();
  }

  /** No part follows. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** What came since the last call; waits for it. Empty when the answer is over. */
  async take(): Promise<readonly StreamPart[]> {
    if (this.#parts.length === 0 && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    const taken = this.#parts;
    this.#parts = [];
    return taken;
  }
}
