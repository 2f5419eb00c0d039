/** A key that was refused is tried again after this long: somebody may have put it right. */
export const outMs = 300_000;
/** A 429 that names no time: half a second, doubled each time in a row. */
const restBaseMs = 500;
const restCapMs = 30_000;

/**
 * What is known of one key of a provider. One that is over its limit rests for as long as the provider asks;
 * one that was refused is out.
 */
export class KeyStanding {
  #outUntilMs = Number.NEGATIVE_INFINITY;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #limitedInRow = 0;

  isOut(nowMs: number): boolean {
    return nowMs < this.#outUntilMs;
  }

  /** Milliseconds that it is still to be left alone; 0 when it is not. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#restUntilMs - nowMs);
  }

  /** @param retryAfterMs how long the provider asked to wait, if it said */
  limited(retryAfterMs: number | undefined, nowMs: number): void {
    // Of calls that were under way together one counts.
    if (this.restMs(nowMs) === 0) this.#limitedInRow += 1;
    const usualMs = Math.min(restCapMs, restBaseMs * 2 ** Math.min(this.#limitedInRow - 1, 30));
    this.rest(retryAfterMs ?? usualMs, nowMs);
  }

  /** It is to be left alone for so long, at least. */
  rest(forMs: number, nowMs: number): void {
    this.#restUntilMs = Math.max(this.#restUntilMs, nowMs + forMs);
  }

  /** @returns true when it was not out before */
  refused(nowMs: number): boolean {
    const wasOut = this.isOut(nowMs);
    this.#outUntilMs = nowMs + outMs;
    return !wasOut;
  }

  served(): void {
    this.#outUntilMs = Number.NEGATIVE_INFINITY;
    this.#limitedInRow = 0;
  }
}
