import { type Clock, sleepOn } from './clock.ts';

interface Timer {
  readonly dueMs: number;
  /** Breaks ties: timers due at one instant fire in the order they were armed. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told. Timers fire in due order while {@link advance} passes them, and
 * promises settled by one timer are given the chance to arm the next before time goes on.
 */
export class SimulatedClock implements Clock {
  #elapsedMs = 0;
  #armed = 0;
  readonly #startMs: number;
  readonly #timers = new Set<Timer>();

  /** @param startMs wall-clock time at the start, milliseconds since the Unix epoch */
  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): Disposable {
    const timer = {
      dueMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#armed++,
      callback,
    };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  sleep(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    return sleepOn(this, delayMs, options?.signal);
  }

  /** How many timers are armed: a test's way to see a leak. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on by `durationMs`, firing every timer that falls due on the way. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + durationMs;
    await settle();
    for (let next = this.#earliest(); next && next.dueMs <= untilMs; next = this.#earliest()) {
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (
        !earliest ||
        timer.dueMs < earliest.dueMs ||
        (timer.dueMs === earliest.dueMs && timer.order < earliest.order)
      ) {
        earliest = timer;
      }
    }
    return earliest;
  }
}

/** Lets every promise callback that is ready run: one turn of the event loop drains them all. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
