/** The ids seen last, a bounded number of them; the oldest is forgotten. */
export class RecentIds<Id> {
  readonly #max: number;
  readonly #ids = new Set<Id>();

  constructor(max: number) {
    this.#max = max;
  }

  add(id: Id): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size <= this.#max) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }

  has(id: Id): boolean {
    return this.#ids.has(id);
  }
}
