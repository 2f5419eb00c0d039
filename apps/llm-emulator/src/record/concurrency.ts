/** How many requests are open now and were at most. */
export interface ConcurrencyReading {
  readonly now: number;
  readonly peak: number;
}

/** Most keys that are counted each by itself; the others together are `key-other`. */
const keysMax = 1000;

/** Open requests in all and by key. */
export class Concurrency {
  readonly #total = { now: 0, peak: 0 };
  readonly #byKey = new Map<string, { now: number; peak: number }>();

  /** Counts a request in; dispose the result once to count it out. */
  enter(keyLabel: string): Disposable {
    const label = this.#byKey.has(keyLabel) || this.#byKey.size < keysMax ? keyLabel : 'key-other';
    const own = this.#byKey.get(label) ?? { now: 0, peak: 0 };
    this.#byKey.set(label, own);
    for (const gauge of [this.#total, own]) {
      gauge.now++;
      gauge.peak = Math.max(gauge.peak, gauge.now);
    }
    return {
      [Symbol.dispose]: () => {
        this.#total.now--;
        own.now--;
      },
    };
  }

  get now(): number {
    return this.#total.now;
  }

  read(): ConcurrencyReading & { readonly byKey: Readonly<Record<string, ConcurrencyReading>> } {
    const byKey = Object.fromEntries([...this.#byKey].map(([key, gauge]) => [key, { ...gauge }]));
    return { ...this.#total, byKey };
  }

  /** The peaks start again from what is open now. */
  reset(): void {
    this.#total.peak = this.#total.now;
    for (const [key, gauge] of this.#byKey) {
      if (gauge.now === 0) this.#byKey.delete(key);
      else gauge.peak = gauge.now;
    }
  }
}
