/**
 * A worker's free slots, dealt to the live balancers: each slot to one balancer, so that two never
 * count on the same one. The deal rides on every load report; the report is the credit, and it is void
 * when it is old. Nothing is issued anew, revoked or given back.
 */
import type { BalancerId } from '@starling/contracts';

/** Slow start: how many slots a worker deals out, by how long it has served. */
export interface SlowStart {
  /** Slots dealt in the first step. */
  readonly first: number;
  /** The amount doubles after each step. */
  readonly stepMs: number;
}

export const defaultSlowStart: SlowStart = { first: 1, stepMs: 1_000 };

/**
 * Slots that may be dealt `servingMs` after the start, of `free` in all.
 * @returns at least 1 when a slot is free
 */
export function dealable(
  free: number,
  servingMs: number,
  { first, stepMs }: SlowStart = defaultSlowStart,
): number {
  // 2^20 slots is beyond any worker: the exponent is bounded so that it cannot overflow.
  const steps = Math.min(20, Math.floor(Math.max(0, servingMs) / stepMs));
  return Math.min(free, first * 2 ** steps);
}

/**
 * Deals `slots` round robin to the balancers.
 * @param turn where the deal begins; raise it by the slots dealt, so that a single slot wanders
 * @returns slots by balancer, without those that got none
 */
export function dealGrants(
  slots: number,
  balancers: readonly BalancerId[],
  turn: number,
): ReadonlyMap<BalancerId, number> {
  const grants = new Map<BalancerId, number>();
  if (balancers.length === 0) return grants;
  for (let dealt = 0; dealt < slots; dealt += 1) {
    const holder = balancers[(turn + dealt) % balancers.length];
    if (holder !== undefined) grants.set(holder, (grants.get(holder) ?? 0) + 1);
  }
  return grants;
}
