import type { JobId, LoadReport } from '@starling/contracts';

/** How many reports list an end: one may be lost. */
const listings = 2;
/** Ends listed at once; beyond it a balancer learns from the ledger. */
const maxListed = 500;

interface ToldEnd {
  readonly jobId: JobId;
  readonly tokens: number;
  left: number;
}

/** The ends that not enough reports have listed. */
export class ToldEnds {
  #ends: ToldEnd[] = [];

  get size(): number {
    return this.#ends.length;
  }

  add(jobId: JobId, tokens: number): void {
    this.#ends.push({ jobId, tokens, left: listings });
    if (this.#ends.length > maxListed) this.#ends.shift();
  }

  /** What the report that is written now has to list. */
  take(): LoadReport['ended'] {
    if (this.#ends.length === 0) return undefined;
    const told = this.#ends.map(({ jobId, tokens }) => ({ jobId, tokens }));
    this.#ends = this.#ends.filter((end) => --end.left > 0);
    return told;
  }
}
