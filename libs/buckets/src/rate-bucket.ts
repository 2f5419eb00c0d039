/**
 * A bucket of a rate: GCRA, the leaky bucket as one number, the time at which it would be empty
 * (theoretical arrival time, "tat"; en.wikipedia.org/wiki/Generic_cell_rate_algorithm). Pure.
 * Its time is in whole microseconds, so that both adapters round alike.
 */
import { intervalUsOf, type RateLimit } from './bucket-limit.ts';

export interface RateHold {
  readonly untilMs: number;
  readonly amount: number;
  /** Up to where it moved the tat. */
  readonly endUs: number;
}

export interface RateBucket {
  readonly kind: 'rate';
  readonly tatUs: number;
  readonly holds: ReadonlyMap<string, RateHold>;
  readonly blockedUntilMs: number;
}

export const emptyRate: RateBucket = {
  kind: 'rate',
  tatUs: 0,
  holds: new Map(),
  blockedUntilMs: 0,
};

/** What is left of it now. A hold that ended unsettled stays charged as it is. */
export function sweptRate(bucket: RateBucket, nowMs: number): RateBucket {
  const holds = new Map([...bucket.holds].filter(([, { untilMs }]) => untilMs > nowMs));
  return { ...bucket, holds };
}

/** As {@link sumOpensAtMs}. */
export function rateOpensAtMs(
  bucket: RateBucket,
  { amount, limit }: { readonly limit: RateLimit; readonly amount: number },
  nowMs: number,
): number {
  if (amount > limit.burst) return Number.POSITIVE_INFINITY;
  const nowUs = nowMs * 1_000;
  const behindUs = (limit.burst - amount) * intervalUsOf(limit);
  const opensAtUs = Math.max(bucket.tatUs, nowUs) - behindUs;
  return Math.max(nowMs, Math.ceil(opensAtUs / 1_000), bucket.blockedUntilMs);
}

export function withRate(
  bucket: RateBucket,
  taken: {
    readonly id: string;
    readonly limit: RateLimit;
    readonly amount: number;
    readonly holdMs: number;
  },
  nowMs: number,
): RateBucket {
  const { amount, holdMs, id, limit } = taken;
  const tatUs = Math.max(bucket.tatUs, nowMs * 1_000) + amount * intervalUsOf(limit);
  if (holdMs === 0) return { ...bucket, tatUs };
  const hold = { amount, untilMs: nowMs + holdMs, endUs: tatUs };
  return { ...bucket, tatUs, holds: new Map(bucket.holds).set(id, hold) };
}

/**
 * What was used beyond the hold is charged as a debt. What was not used is given back as far as the
 * bucket has not drained it by itself: a refund is never a credit.
 */
export function settledRate(
  bucket: RateBucket,
  settled: { readonly id: string; readonly limit: RateLimit; readonly amount: number },
  nowMs: number,
): RateBucket {
  const hold = bucket.holds.get(settled.id);
  if (!hold) return bucket;
  const holds = new Map(bucket.holds);
  holds.delete(settled.id);
  const nowUs = nowMs * 1_000;
  const overUs = (settled.amount - hold.amount) * intervalUsOf(settled.limit);
  const undrainedUs = Math.max(0, hold.endUs - nowUs);
  const tatUs =
    overUs >= 0
      ? Math.max(bucket.tatUs, nowUs) + overUs
      : bucket.tatUs - Math.min(-overUs, undrainedUs);
  return { ...bucket, tatUs, holds };
}
