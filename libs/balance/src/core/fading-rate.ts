/** Older events count half after this long. */
const halfLifeMs = 5_000;
/** Fewer (weighted) events than this say nothing about a rate. */
const leastEvents = 20;

/** How fast something happens, by a count that fades; with nothing to go by it stays silent. */
export class FadingRate {
  #count = 0;
  #atMs = 0;

  happened(nowMs: number): void {
    this.#count = this.#faded(nowMs) + 1;
    this.#atMs = nowMs;
  }

  /** Milliseconds until it has happened `ahead` times and once more; `undefined` when too few were seen to tell. */
  waitMs(ahead: number, nowMs: number): number | undefined {
    const count = this.#faded(nowMs);
    if (count < leastEvents) return undefined;
    // A steady rate r gives a faded count of r * halfLife / ln 2.
    return ((ahead + 1) * halfLifeMs) / (count * Math.LN2);
  }

  /** How often it happens for each time that another thing does; `undefined` when that is too seldom to tell. */
  per(other: FadingRate, nowMs: number): number | undefined {
    const count = other.#faded(nowMs);
    return count < leastEvents ? undefined : this.#faded(nowMs) / count;
  }

  #faded(nowMs: number): number {
    return this.#count * 2 ** (-Math.max(0, nowMs - this.#atMs) / halfLifeMs);
  }
}
