/**
 * A worker's free slots, dealt to the live balancers: each slot to one balancer, so that two never
 * count on the same one. A dealt slot stays with its holder until it is spent, since whoever holds it
 * may be spending it right now; only when a balancer comes or goes are they dealt anew. The deal rides on every load report;
 * the report is the credit, and it is void when it is old: nothing is issued anew or revoked.
 */
import type { BalancerId } from '@starling/contracts';

/** Slow start: how much a worker that just came may have in flight. */
export interface SlowStart {
  /** Slots in use or dealt in the first step. */
  readonly first: number;
  /** The amount doubles after each step. */
  readonly stepMs: number;
}

export const defaultSlowStart: SlowStart = { first: 1, stepMs: 1_000 };

/** Slots that may be in use or dealt `servingMs` after the start; at least 1. */
export function usableSlots(
  slots: number,
  servingMs: number,
  { first, stepMs }: SlowStart = defaultSlowStart,
): number {
  // 2^20 slots is beyond any worker: the exponent is bounded so that it cannot overflow.
  const steps = Math.min(20, Math.floor(Math.max(0, servingMs) / stepMs));
  return Math.min(slots, first * 2 ** steps);
}

/** See the module's header. */
export class SlotGrants {
  readonly #dealt = new Map<BalancerId, number>();
  #total = 0;
  /** Where the next deal begins: a single slot wanders from balancer to balancer. */
  #turn: number;
  /** To whom was dealt last. */
  #members: readonly BalancerId[] = [];

  /** @param turn where to begin; differs between workers, so that they do not all begin with the same */
  constructor(turn: number) {
    this.#turn = turn;
  }

  get total(): number {
    return this.#total;
  }

  /** Whether any of them has no slot left. */
  lacks(balancers: readonly BalancerId[]): boolean {
    return balancers.some((holder) => !this.#dealt.has(holder));
  }

  /** Slots by balancer, without those that have none. */
  record(): Record<BalancerId, number> {
    return Object.fromEntries(this.#dealt);
  }

  /**
   * Deals or takes back until `free` slots are dealt to `balancers`.
   * @param balancers the same array as long as they are the same
   */
  settle(free: number, balancers: readonly BalancerId[]): void {
    for (const [holder, slots] of this.#dealt) {
      if (balancers.includes(holder)) continue;
      this.#dealt.delete(holder);
      this.#total -= slots;
    }
    while (this.#total > free) this.#takeFromRichest();
    while (this.#total < free && balancers.length > 0) {
      const holder = balancers[this.#turn++ % balancers.length];
      if (holder !== undefined) this.#add(holder, 1);
    }
    if (balancers !== this.#members) this.#level(balancers);
    this.#members = balancers;
  }

  /** Somebody came or went: a newcomer gets its share now, not when slots happen to be spent. */
  #level(balancers: readonly BalancerId[]): void {
    const share = Math.floor(this.#total / Math.max(1, balancers.length));
    for (const holder of balancers) {
      while ((this.#dealt.get(holder) ?? 0) < share) {
        this.#takeFromRichest();
        this.#add(holder, 1);
      }
    }
  }

  /** A balancer spends a slot: its own, or where it has none (its view was old) the richest one's. */
  spend(balancerId: BalancerId): void {
    if (this.#dealt.has(balancerId)) this.#add(balancerId, -1);
    else this.#takeFromRichest();
  }

  #takeFromRichest(): void {
    let richest: BalancerId | undefined;
    let most = 0;
    for (const [holder, slots] of this.#dealt) {
      if (slots <= most) continue;
      richest = holder;
      most = slots;
    }
    if (richest !== undefined) this.#add(richest, -1);
  }

  #add(holder: BalancerId, slots: number): void {
    const left = (this.#dealt.get(holder) ?? 0) + slots;
    if (left > 0) this.#dealt.set(holder, left);
    else this.#dealt.delete(holder);
    this.#total += slots;
  }
}
