/**
 * How many requests are in hand, in all and of each caller. Callers are the names of configured keys,
 * so the map is as small as their list.
 */
export class RequestPermits {
  readonly #max: number;
  readonly #maxPerCaller: number;
  readonly #ofCaller = new Map<string, number>();
  #total = 0;

  constructor(bounds: { readonly max: number; readonly maxPerCaller: number }) {
    this.#max = bounds.max;
    this.#maxPerCaller = bounds.maxPerCaller;
  }

  get total(): number {
    return this.#total;
  }

  /** A permit that must be given back by disposing it; or which bound is reached. */
  take(caller: string): Disposable | 'caller_full' | 'full' {
    const own = this.#ofCaller.get(caller) ?? 0;
    if (own >= this.#maxPerCaller) return 'caller_full';
    if (this.#total >= this.#max) return 'full';
    this.#total += 1;
    this.#ofCaller.set(caller, own + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#total -= 1;
        const left = (this.#ofCaller.get(caller) ?? 1) - 1;
        if (left === 0) this.#ofCaller.delete(caller);
        else this.#ofCaller.set(caller, left);
      },
    };
  }
}
