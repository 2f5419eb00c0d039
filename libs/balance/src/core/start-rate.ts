/** Older starts count half after this long. */
const halfLifeMs = 5_000;
/** Fewer (weighted) starts than this say nothing about a rate. */
const leastStarts = 20;

/**
 * How fast waiting jobs are started, by a count that fades. It tells a new job how long it will wait;
 * with nothing to go by it stays silent.
 */
export class StartRate {
  #count = 0;
  #atMs = 0;

  started(nowMs: number): void {
    this.#count = this.#faded(nowMs) + 1;
    this.#atMs = nowMs;
  }

  /** Milliseconds until `ahead` jobs have started; `undefined` when too few were seen to tell. */
  waitMs(ahead: number, nowMs: number): number | undefined {
    const count = this.#faded(nowMs);
    if (count < leastStarts) return undefined;
    // A steady rate r gives a faded count of r * halfLife / ln 2.
    return ((ahead + 1) * halfLifeMs) / (count * Math.LN2);
  }

  #faded(nowMs: number): number {
    return this.#count * 2 ** (-Math.max(0, nowMs - this.#atMs) / halfLifeMs);
  }
}
