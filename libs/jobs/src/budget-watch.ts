import type { Buckets } from '@starling/buckets';
import { counter, log } from '@starling/telemetry';
import type { BudgetBucket } from './budgets.ts';

/** Whoever has used so much of a budget is told of, once. */
const nearShare = 0.8;
/** Budgets remembered as told of; the oldest may be told of once more. */
const maxTold = 10_000;

const logger = log('admission');
const near = counter('starling.budgets.near');

/** Says when a budget is nearly used up (features D6). */
export class BudgetWatch {
  readonly #buckets: Buckets;
  readonly #told = new Set<string>();

  constructor(buckets: Buckets) {
    this.#buckets = buckets;
  }

  /** Looks at budgets that were spent from. */
  async look(budgets: readonly BudgetBucket[]): Promise<void> {
    const untold = budgets.filter(({ key }) => !this.#told.has(key));
    if (untold.length === 0) return;
    const levels = await this.#buckets.levels(untold);
    for (const [at, { key, permits }] of untold.entries()) {
      const used = levels[at] ?? 0;
      if (used < nearShare * permits) continue;
      this.#told.add(key);
      for (const oldest of this.#told) {
        if (this.#told.size <= maxTold) break;
        this.#told.delete(oldest);
      }
      near.add(1, { of: key.split(':')[1] ?? '' });
      logger.warn('budget.near', { budget: key, used, permits });
    }
  }
}
