import type { Clock } from '@starling/clock';

/** The moments at which the core asked to be called again; disposing forgets them. */
export class WakeTimers implements Disposable {
  readonly #clock: Clock;
  readonly #onWake: () => void;
  readonly #pending = new Set<Disposable>();

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock;
    this.#onWake = onWake;
  }

  wakeIn(delayMs: number): void {
    // A timer may fire a fraction of a millisecond early, and the core would find nothing to do.
    const timer = this.#clock.schedule(Math.ceil(delayMs) + 1, () => {
      this.#pending.delete(timer);
      this.#onWake();
    });
    this.#pending.add(timer);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#pending) timer[Symbol.dispose]();
    this.#pending.clear();
  }
}
