/** A bucket that sums amounts, each of which ends by itself: windows, concurrency, budgets. Pure. */
import { type SumLimit, useEndsAtMs } from './bucket-limit.ts';

export interface SumHold {
  readonly amount: number;
  /** A hold that nobody settles by then has died with its process. */
  readonly untilMs: number;
}

/** What the provider itself said of its limit; it stands for a while. */
export interface SumCap {
  readonly permits: number;
  readonly untilMs: number;
}

export interface SumBucket {
  readonly kind: 'sum';
  readonly holds: ReadonlyMap<string, SumHold>;
  /** End of the use, to the amount that ends there. */
  readonly uses: ReadonlyMap<number, number>;
  readonly cap: SumCap | undefined;
  /** Nothing is let through before. */
  readonly blockedUntilMs: number;
}

export const emptySum: SumBucket = {
  kind: 'sum',
  holds: new Map(),
  uses: new Map(),
  cap: undefined,
  blockedUntilMs: 0,
};

/**
 * What is left of it now. A hold that ended unsettled counts as used, in full and at its end: its
 * process died, and the provider may have served the call.
 */
export function sweptSum(bucket: SumBucket, limit: SumLimit, nowMs: number): SumBucket {
  const holds = new Map(bucket.holds);
  const uses = new Map(bucket.uses);
  for (const [id, { amount, untilMs }] of bucket.holds) {
    if (untilMs > nowMs) continue;
    holds.delete(id);
    addUse(uses, useEndsAtMs(limit, untilMs), amount);
  }
  for (const endsAtMs of uses.keys()) if (endsAtMs <= nowMs) uses.delete(endsAtMs);
  const cap = bucket.cap && bucket.cap.untilMs > nowMs ? bucket.cap : undefined;
  return { ...bucket, holds, uses, cap };
}

/** What is held and used, in a swept bucket. */
export function levelOf({ holds, uses }: SumBucket): number {
  let level = 0;
  for (const { amount } of holds.values()) level += amount;
  for (const amount of uses.values()) level += amount;
  return level;
}

/**
 * When `amount` is let through if nothing else happens, in a swept bucket: now or later, to the
 * millisecond; infinity when it never is.
 */
export function sumOpensAtMs(
  bucket: SumBucket,
  asked: { readonly limit: SumLimit; readonly amount: number },
  nowMs: number,
): number {
  const { amount, limit } = asked;
  const { blockedUntilMs, cap } = bucket;
  const uncapped = roomAtMs(bucket, asked, limit.permits, nowMs);
  if (!cap) return Math.max(uncapped, blockedUntilMs);
  const capped = roomAtMs(bucket, { limit, amount }, Math.min(cap.permits, limit.permits), nowMs);
  return Math.max(Math.min(capped, Math.max(uncapped, cap.untilMs)), blockedUntilMs);
}

function roomAtMs(
  bucket: SumBucket,
  { amount, limit }: { readonly limit: SumLimit; readonly amount: number },
  permits: number,
  nowMs: number,
): number {
  if (amount > permits) return Number.POSITIVE_INFINITY;
  let level = levelOf(bucket);
  if (level + amount <= permits) return nowMs;
  const ends = [
    ...bucket.uses,
    ...[...bucket.holds.values()].map(
      (hold) => [useEndsAtMs(limit, hold.untilMs), hold.amount] as const,
    ),
  ].sort(([a], [b]) => a - b);
  for (const [endsAtMs, ended] of ends) {
    level -= ended;
    if (level + amount <= permits) return endsAtMs;
  }
  return nowMs;
}

/** With a hold, or with a use when `holdMs` is 0. */
export function withSum(
  bucket: SumBucket,
  taken: {
    readonly id: string;
    readonly limit: SumLimit;
    readonly amount: number;
    readonly holdMs: number;
  },
  nowMs: number,
): SumBucket {
  const { amount, holdMs, id, limit } = taken;
  if (holdMs === 0) return withUse(bucket, { limit, amount }, nowMs);
  const holds = new Map(bucket.holds).set(id, { amount, untilMs: nowMs + holdMs });
  return { ...bucket, holds };
}

/** A hold becomes what was really used: less, or more (a debt, which later calls wait for). */
export function settledSum(
  bucket: SumBucket,
  settled: { readonly id: string; readonly limit: SumLimit; readonly amount: number },
  nowMs: number,
): SumBucket {
  const holds = new Map(bucket.holds);
  if (!holds.delete(settled.id)) return bucket;
  return withUse({ ...bucket, holds }, settled, nowMs);
}

function withUse(
  bucket: SumBucket,
  { amount, limit }: { readonly limit: SumLimit; readonly amount: number },
  nowMs: number,
): SumBucket {
  const endsAtMs = useEndsAtMs(limit, nowMs);
  if (endsAtMs <= nowMs) return bucket;
  const uses = new Map(bucket.uses);
  addUse(uses, endsAtMs, amount);
  return { ...bucket, uses };
}

function addUse(uses: Map<number, number>, endsAtMs: number, amount: number): void {
  if (amount > 0) uses.set(endsAtMs, (uses.get(endsAtMs) ?? 0) + amount);
}
