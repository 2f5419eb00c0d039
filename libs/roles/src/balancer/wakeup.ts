import type { Clock } from '@starling/clock';

/** Lets one loop sleep until something changed, at most for a while. */
export class Wakeup {
  #wake: (() => void) | undefined;

  /** Something changed. */
  ring(): void {
    this.#wake?.();
  }

  /** Resolves at the next ring, or after `atMostMs`. */
  async wait(clock: Clock, atMostMs: number): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    using _timer = clock.schedule(atMostMs, woken.resolve);
    await woken.promise;
    this.#wake = undefined;
  }
}
