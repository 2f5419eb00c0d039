/** Calls that are remembered, and as many as are needed to say anything. */
const kept = 100;
const needed = 20;
const percentile = 0.95;

/** How long the latest answers of a rung took to their first text, milliseconds. */
export class FirstTokenTimes {
  readonly #latest: number[] = [];
  #at = 0;

  add(ms: number): void {
    this.#latest[this.#at] = ms;
    this.#at = (this.#at + 1) % kept;
  }

  /** An answer that has not begun by then is later than 19 of 20; undefined while too few are known. */
  get lateMs(): number | undefined {
    if (this.#latest.length < needed) return undefined;
    const sorted = this.#latest.toSorted((a, b) => a - b);
    const usual = sorted[Math.floor(percentile * sorted.length)];
    return usual === undefined ? undefined : Math.floor(usual) + 1;
  }
}
