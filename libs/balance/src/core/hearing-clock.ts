/**
 * Time during which reports could be heard. It stands still while the own connection is gone and for a
 * while after (others reconnect too), and over gaps in which this process itself was stopped: silence
 * is evidence only where something would have been heard.
 */
export class HearingClock {
  readonly #deafAfterMs: number;
  #deafTotalMs = 0;
  #deafSinceMs: number | undefined;
  #deafUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deafAfterMs: number) {
    this.#deafAfterMs = deafAfterMs;
  }

  /** Nothing is heard from now. */
  disconnected(nowMs: number): void {
    this.#settle(nowMs);
    this.#deafSinceMs ??= nowMs;
    this.#deafUntilMs = Number.POSITIVE_INFINITY;
  }

  /** What is said from now is heard; the first to speak may need a moment. */
  connected(nowMs: number): void {
    this.#deafSinceMs ??= nowMs;
    this.#deafUntilMs = nowMs + this.#deafAfterMs;
  }

  /** This process did nothing from `fromMs` to now: what was said meanwhile is yet to be read. */
  slept(fromMs: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#deafSinceMs = Math.min(this.#deafSinceMs ?? fromMs, fromMs);
    this.#deafUntilMs = Math.max(this.#deafUntilMs, nowMs + this.#deafAfterMs);
  }

  /** Milliseconds of hearing up to now. */
  at(nowMs: number): number {
    this.#settle(nowMs);
    const deafNowMs = this.#deafSinceMs === undefined ? 0 : nowMs - this.#deafSinceMs;
    return nowMs - this.#deafTotalMs - deafNowMs;
  }

  /** Whether silence proves nothing now. */
  isDeaf(nowMs: number): boolean {
    this.#settle(nowMs);
    return this.#deafSinceMs !== undefined;
  }

  #settle(nowMs: number): void {
    if (this.#deafSinceMs === undefined || nowMs < this.#deafUntilMs) return;
    this.#deafTotalMs += this.#deafUntilMs - this.#deafSinceMs;
    this.#deafSinceMs = undefined;
  }
}
