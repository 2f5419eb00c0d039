/** Older events count half after this long. */
const halfLifeMs = 5_000;
/** Fewer (weighted) events than this say nothing about a rate. */
const leastEvents = 20;

/**
 * How fast something happens, by a count that fades; with nothing to go by it stays silent. A count that
 * began a moment ago is not yet as high as it will be, and is taken for what it will come to (as the first
 * moments of an average are corrected in Adam, Kingma and Ba 2015): else a line would seem slow to whoever
 * has just begun to watch it.
 */
export class FadingRate {
  #count = 0;
  #atMs = 0;
  /** When the first of those that still count happened. */
  #sinceMs = 0;

  happened(nowMs: number): void {
    const before = this.#faded(nowMs);
    if (before < 1) this.#sinceMs = nowMs;
    this.#count = before + 1;
    this.#atMs = nowMs;
  }

  /** Milliseconds until it has happened `ahead` times and once more; `undefined` when too few were seen to tell. */
  waitMs(ahead: number, nowMs: number): number | undefined {
    const count = this.#faded(nowMs);
    if (count < leastEvents) return undefined;
    // A steady rate r gives a faded count of r * halfLife / ln 2, and this share of it so far. No less than
    // a half is taken for it: what happens all at once, as when free slots are filled, is no pace.
    const share = Math.max(0.5, 1 - 2 ** (-(nowMs - this.#sinceMs) / halfLifeMs));
    return ((ahead + 1) * halfLifeMs * share) / (count * Math.LN2);
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
