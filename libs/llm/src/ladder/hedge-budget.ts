/** A second call for one answer is made for 2 % of the calls at most: each earns two of the hundred that it costs. */
const perCall = 2;
const perHedge = 100;

export class HedgeBudget {
  #balance = 0;

  /** A call came in. */
  earn(): void {
    this.#balance = Math.min(perHedge, this.#balance + perCall);
  }

  /** Takes one hedge; false when it is not earned. */
  spend(): boolean {
    if (this.#balance < perHedge) return false;
    this.#balance -= perHedge;
    return true;
  }
}
