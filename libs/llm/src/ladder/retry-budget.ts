/**
 * What all calls of a process may spend on retries (features C4): a tenth of a retry for each call, and ten
 * a second so that a quiet process may retry at all. In an outage the provider is so spared most of what
 * retries would add to it (finagle's and linkerd's retry budgets).
 */
import type { Clock } from '@starling/clock';

/** All in tenths of a retry. */
const perRetry = 10;
const perCall = 1;
const perSecond = 100;
/** What can be saved up: two quiet seconds. */
const most = 200;

export class RetryBudget {
  readonly #clock: Clock;
  #balance = most;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  /** A call came in. */
  earn(): void {
    this.#add(perCall);
  }

  /** Takes one retry; false when there is none left. */
  spend(): boolean {
    this.#add(0);
    if (this.#balance < perRetry) return false;
    this.#balance -= perRetry;
    return true;
  }

  #add(earned: number): void {
    const nowMs = this.#clock.monotonicMs();
    const inTime = ((nowMs - this.#atMs) * perSecond) / 1000;
    this.#atMs = nowMs;
    this.#balance = Math.min(most, this.#balance + inTime + earned);
  }
}
