/** A map that forgets its oldest entry when it is full. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #bound: () => number;

  /** @param bound read at each insertion, so that it may be a knob */
  constructor(bound: () => number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Adds or replaces; a replaced entry keeps its place in the order of forgetting. */
  set(key: K, value: V): void {
    this.#entries.set(key, value);
    while (this.#entries.size > this.#bound()) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) return;
      this.#entries.delete(oldest);
    }
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
