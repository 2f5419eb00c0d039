/** Calls that a rung is judged by. */
export const judgedCalls = 20;

/** The share of faults among the latest calls, whenever they were: how a rung that is rarely called is known. */
export class FaultShare {
  readonly #latest: boolean[] = [];
  #at = 0;

  get calls(): number {
    return this.#latest.length;
  }

  /** 0 to 1; 0 before the first call. */
  get share(): number {
    if (this.#latest.length === 0) return 0;
    return this.#latest.filter((isFault) => isFault).length / this.#latest.length;
  }

  add(isFault: boolean): void {
    this.#latest[this.#at] = isFault;
    this.#at = (this.#at + 1) % judgedCalls;
  }
}
