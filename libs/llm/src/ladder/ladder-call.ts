/** One call's way over the rungs: what it has tried, and what it may do next. */
import type { Random } from '@starling/clock';
import type { ProviderFault } from '../provider-fault.ts';
import { isStall } from './blame.ts';
import type { BreakerPermit } from './circuit-breaker.ts';
import type { Ladder, Rung } from './rung.ts';
import { type HealthBook, restMs } from './rung-health.ts';
import { orderedRungs } from './rung-order.ts';

/** A rung that is to be dialled now, and the leave for it. */
export interface Dial {
  readonly kind: 'dial';
  readonly rung: Rung;
  readonly permit: BreakerPermit;
}

/** `wait`: every rung that is left rests. `over`: none is left in this turn. */
export type NextStep = Dial | { readonly kind: 'wait' } | { readonly kind: 'over' };

/** See the module's header. In each turn every rung is dialled once at most. */
export class LadderCall {
  readonly #ladder: Ladder;
  readonly #health: HealthBook;
  readonly #random: Random;
  #order: readonly Rung[];
  /** Dialled, or passed over, in this turn. */
  readonly #done = new Set<Rung>();
  /** Not to be dialled again: silent, or of no use a second time. */
  readonly #spent = new Set<Rung>();
  #dialled = 0;
  /** Dials by rung, in all turns. */
  readonly #times = new Map<Rung, number>();

  constructor(ladder: Ladder, parts: { readonly health: HealthBook; readonly random: Random }) {
    this.#ladder = ladder;
    this.#health = parts.health;
    this.#random = parts.random;
    this.#order = orderedRungs(ladder, parts.health, parts.random);
  }

  /** The best rung that is left; where none is well, the least bad, unless this turn has dialled one. */
  next(nowMs: number): NextStep {
    const left = this.#order.filter((rung) => !this.#done.has(rung) && !this.#spent.has(rung));
    for (const rung of left) {
      const health = this.#health.of(rung);
      if (health.key.isOut(nowMs) || restMs(health, nowMs) > 0) continue;
      const permit = health.breaker.take(nowMs);
      if (permit) return this.#dial(rung, permit);
    }
    if (this.#dialled > 0) return { kind: 'over' };
    return this.#leastBad(left, nowMs);
  }

  /** A further rung that is well, for a call beside the one under way. */
  another(nowMs: number): Dial | undefined {
    for (const rung of this.#order) {
      if (this.#done.has(rung) || this.#spent.has(rung)) continue;
      const health = this.#health.of(rung);
      const isWell = health.breaker.kind(nowMs) === 'closed' && !health.key.isOut(nowMs);
      if (!isWell || restMs(health, nowMs) > 0) continue;
      const permit = health.breaker.take(nowMs);
      if (permit) return this.#dial(rung, permit);
    }
    return undefined;
  }

  /** It was not dialled after all: the probe is somebody else's. */
  pass(rung: Rung): void {
    this.#done.add(rung);
    this.#times.delete(rung);
    this.#dialled -= 1;
  }

  failed(rung: Rung, fault: ProviderFault): void {
    if (isStall(fault) || !fault.retryable) this.#spent.add(rung);
  }

  /** Begins the next turn. @returns how long the rung rests that is free first; undefined without any */
  again(nowMs: number): number | undefined {
    this.#done.clear();
    this.#dialled = 0;
    this.#order = orderedRungs(this.#ladder, this.#health, this.#random);
    const left = this.#order
      .filter((rung) => !this.#spent.has(rung))
      .map((rung) => this.#health.of(rung));
    const useful = left.filter(({ key }) => !key.isOut(nowMs));
    // A key that is out is worth a call only when there is nothing else to wait for.
    const rests = (useful.length > 0 ? useful : left).map((health) => restMs(health, nowMs));
    return rests.length === 0 ? undefined : Math.min(...rests);
  }

  #timesOf(rung: Rung): number {
    return this.#times.get(rung) ?? 0;
  }

  /** The one that this call has tried the least, with the fewest faults, that is probed the soonest. */
  #leastBad(left: readonly Rung[], nowMs: number): NextStep {
    const ranked = left
      .map((rung) => ({ rung, health: this.#health.of(rung) }))
      .map(({ rung, health }) => ({ rung, health, rest: restMs(health, nowMs) }));
    const awake = ranked.filter(({ health, rest }) => rest === 0 && !health.key.isOut(nowMs));
    const open = awake.sort(
      (a, b) =>
        this.#timesOf(a.rung) - this.#timesOf(b.rung) ||
        a.health.share.share - b.health.share.share ||
        a.health.breaker.opensInMs(nowMs) - b.health.breaker.opensInMs(nowMs),
    )[0];
    if (open) return this.#dial(open.rung, open.health.breaker.force(nowMs));
    const resting = ranked.filter(({ health, rest }) => rest > 0 && !health.key.isOut(nowMs));
    if (resting.length > 0) return { kind: 'wait' };
    const out = ranked[0];
    return out ? this.#dial(out.rung, out.health.breaker.force(nowMs)) : { kind: 'over' };
  }

  #dial(rung: Rung, permit: BreakerPermit): Dial {
    this.#done.add(rung);
    this.#dialled += 1;
    this.#times.set(rung, this.#timesOf(rung) + 1);
    return { kind: 'dial', rung, permit };
  }
}
