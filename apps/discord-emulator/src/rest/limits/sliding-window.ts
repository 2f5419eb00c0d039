/**
 * A sliding window, the shape of most of Discord's buckets (discord-api-docs#7680): a request is
 * admitted while fewer than `limit` were admitted in the `perMs` before it, so `Reset-After`
 * moves and `Retry-After` is the time until the next single permit, not until a full refill.
 */

/** How often something may happen. */
export interface WindowLimit {
  readonly limit: number;
  readonly perMs: number;
}

/** What a window says to one request. */
export interface WindowDecision {
  readonly admitted: boolean;
  /** Permits left after this request. */
  readonly remaining: number;
  /** Milliseconds until the next permit comes back; 0 while the window is empty. */
  readonly resetAfterMs: number;
}

export class SlidingWindow {
  readonly #limit: number;
  readonly #perMs: number;
  /** Times of the admitted requests that still count, oldest first; never longer than the limit. */
  readonly #admittedMs: number[] = [];

  constructor(limit: WindowLimit) {
    this.#limit = limit.limit;
    this.#perMs = limit.perMs;
  }

  /** Admits or refuses one request; a refused one does not count. `nowMs` must never run backwards. */
  admit(nowMs: number): WindowDecision {
    this.#forget(nowMs);
    const admitted = this.#admittedMs.length < this.#limit;
    if (admitted) this.#admittedMs.push(nowMs);
    return {
      admitted,
      remaining: this.#limit - this.#admittedMs.length,
      resetAfterMs: this.#resetAfterMs(nowMs),
    };
  }

  /** How many requests count at `nowMs`. */
  count(nowMs: number): number {
    this.#forget(nowMs);
    return this.#admittedMs.length;
  }

  #forget(nowMs: number): void {
    const startMs = nowMs - this.#perMs;
    let expired = 0;
    while ((this.#admittedMs[expired] ?? Number.POSITIVE_INFINITY) <= startMs) expired += 1;
    if (expired > 0) this.#admittedMs.splice(0, expired);
  }

  #resetAfterMs(nowMs: number): number {
    const oldestMs = this.#admittedMs[0];
    if (oldestMs !== undefined) return oldestMs + this.#perMs - nowMs;
    return this.#limit === 0 ? this.#perMs : 0;
  }
}
