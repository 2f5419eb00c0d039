/** The last `max` values pushed, and how many older ones were dropped. */
export class BoundedLog<T> {
  #values: T[] = [];
  #dropped = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  push(value: T): void {
    this.#values.push(value);
    // Trimming at twice the bound makes the copy cost O(1) a push.
    if (this.#values.length >= 2 * this.#max) this.#trim();
  }

  /** Oldest first. */
  values(): readonly T[] {
    this.#trim();
    return this.#values;
  }

  get dropped(): number {
    return this.#dropped + Math.max(0, this.#values.length - this.#max);
  }

  /** Forgets all values but those to keep, and the count of the dropped. */
  reset(keep: (value: T) => boolean): void {
    this.#values = this.#values.filter(keep);
    this.#dropped = 0;
  }

  #trim(): void {
    const surplus = this.#values.length - this.#max;
    if (surplus <= 0) return;
    this.#dropped += surplus;
    this.#values = this.#values.slice(surplus);
  }
}
