/**
 * A log-linear histogram in the manner of HdrHistogram (hdrhistogram.org): each power of two is cut
 * into 2048 equal parts, so a value is off by at most 0.03 % and memory does not grow with the number
 * of values. It travels between processes as its used counters.
 */

/** Equal parts of each power of two. */
const partsBits = 11;
const parts = 2 ** partsBits;
/** Values are whole microseconds up to about 19 hours; beyond that they count as that. */
const maxExponent = 36;
const counters = (maxExponent - partsBits + 2) * parts;

/** A histogram as it travels: `[counter, count]` pairs. */
export type HistogramData = readonly (readonly [number, number])[];

/** Durations, and their percentiles. */
export class Histogram {
  readonly #counts = new Float64Array(counters);
  #total = 0;

  static of(data: HistogramData): Histogram {
    const histogram = new Histogram();
    for (const [counter, count] of data) {
      if (!(counter in histogram.#counts)) throw new RangeError(`there is no counter ${counter}`);
      histogram.#counts[counter] = count;
      histogram.#total += count;
    }
    return histogram;
  }

  get total(): number {
    return this.#total;
  }

  /** @param ms negative ones, which a clock's grain can make, count as 0 */
  add(ms: number): void {
    const counter = counterOf(Math.round(Math.max(0, ms) * 1000));
    this.#counts[counter] = (this.#counts[counter] ?? 0) + 1;
    this.#total += 1;
  }

  /** Takes in the values of another one. */
  merge(other: Histogram): void {
    for (const [counter, count] of other.#counts.entries()) {
      if (count > 0) this.#counts[counter] = (this.#counts[counter] ?? 0) + count;
    }
    this.#total += other.#total;
  }

  /**
   * The smallest value, in milliseconds, that so many per cent of the values do not exceed (nearest
   * rank); undefined when there is none.
   */
  percentile(percent: number): number | undefined {
    if (this.#total === 0) return undefined;
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#total));
    let seen = 0;
    for (const [counter, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return middleOf(counter) / 1000;
    }
    return undefined;
  }

  toJSON(): HistogramData {
    const data: [number, number][] = [];
    for (const [counter, count] of this.#counts.entries())
      if (count > 0) data.push([counter, count]);
    return data;
  }
}

/** Below 4096 each whole value has a counter of its own; above, 2048 counters share a power of two. */
function counterOf(value: number): number {
  const bounded = Math.min(value, 2 ** (maxExponent + 1) - 1);
  const shift = Math.max(0, 31 - partsBits - leadingZeros(bounded));
  return shift * parts + Math.floor(bounded / 2 ** shift);
}

/** Leading zeros as if of 32 bits, negative above them. */
function leadingZeros(value: number): number {
  return value < 2 ** 32 ? Math.clz32(value) : -(32 - Math.clz32(Math.floor(value / 2 ** 32)));
}

function middleOf(counter: number): number {
  const shift = Math.max(0, Math.floor(counter / parts) - 1);
  const lowest = (counter - shift * parts) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}
