/**
 * How many workers a fleet wants (features B9), for whoever starts and stops them:
 *
 *     needed slots   = in flight × (jobs that come for each that starts    to keep up
 *                                   + wait of the last in line / clear time)   to work off what waits
 *                      at most one for each job; in flight alone while none waits
 *     wanted slots   = needed slots / target use, rounded up
 *     wanted workers = wanted slots / slots of a worker, rounded up; 1 at least
 *
 * By Little's law: the slots in use start the jobs at the pace that is seen, so that so many times the pace
 * takes so many times the slots, whatever a job lasts. Where no pace can be told (nothing runs, or too
 * little has started lately) each job wants a slot of its own. The target use below 1 keeps a slot free for
 * the next job while new workers start.
 *
 * More is wanted at once, fewer only when it would have done all through `holdMs`: a worker that is stopped
 * too soon costs a cold start, one that stays a little longer costs little. While jobs wait because workers
 * run fewer calls than they have slots for, since their provider answers late, more workers would only make
 * it later: then as many are wanted as there are.
 */
import type { ScalingReason, ScalingSignal } from '@starling/contracts';
import type { LinePace } from '../core/line-pace.ts';
import type { WorkerLoad } from '../fleet-view.ts';

/** What an operator decides. */
export interface ScalingTargets {
  /** What waits should have started by then, milliseconds. */
  readonly clearMs: number;
  /** Share of the slots that should be in use, above 0 to 1. */
  readonly use: number;
  /** Fewer are wanted when fewer would have done for this long, milliseconds. */
  readonly holdMs: number;
}

/** A fleet at one moment. */
export interface FleetLoad {
  readonly workers: Iterable<WorkerLoad>;
  /** Jobs that wait, in all balancers. */
  readonly waiting: number;
  /** How fast they start. */
  readonly pace: LinePace;
}

/** Workers hold back from their provider when they offer less than this share of their slots. */
const heldBack = 0.75;
/** Slots of a worker while none was ever heard: its default. */
const usualSlots = 8;

/** See the module's header. Remembers the last fall, and no more. */
export class WantedWorkers {
  readonly #targets: ScalingTargets;
  #slotsOfOne = usualSlots;
  #wantedSlots = 0;
  /** Since when fewer would do, and the most that were needed since. */
  #fewer: { readonly sinceMs: number; most: number } | undefined;

  constructor(targets: ScalingTargets) {
    this.#targets = targets;
  }

  /** @param nowMs milliseconds that never run backwards */
  look(load: FleetLoad, nowMs: number): ScalingSignal {
    const { pace, waiting } = load;
    const { waitMs } = pace;
    const { fullSlots, inFlight, slots, workers } = sumOf(load.workers);
    if (workers > 0 && fullSlots > 0) this.#slotsOfOne = fullSlots / workers;
    const holdsBack = waiting > 0 && slots < heldBack * fullSlots;
    const needed = holdsBack
      ? fullSlots
      : roundedUp(this.#neededSlots(inFlight, load) / this.#targets.use);
    const wantedSlots = this.#held(needed, nowMs);
    const wantedWorkers = this.#workersFor(wantedSlots);
    const enough = this.#workersFor(needed);
    const reason = reasonOf({ workers, waiting, wantedWorkers, enough, holdsBack });
    return {
      ...{ workers, slots, inFlight, waiting, wantedSlots, wantedWorkers, reason },
      ...(waitMs !== undefined && { waitMs }),
    };
  }

  #workersFor(slots: number): number {
    return Math.max(1, roundedUp(slots / this.#slotsOfOne));
  }

  #neededSlots(inFlight: number, { pace, waiting }: FleetLoad): number {
    const { growth = 1, waitMs } = pace;
    if (waiting === 0) return inFlight;
    if (waitMs === undefined || inFlight === 0) return inFlight + waiting;
    return Math.min(inFlight + waiting, inFlight * (growth + waitMs / this.#targets.clearMs));
  }

  #held(needed: number, nowMs: number): number {
    if (needed >= this.#wantedSlots) {
      this.#wantedSlots = needed;
      this.#fewer = undefined;
      return needed;
    }
    this.#fewer ??= { sinceMs: nowMs, most: 0 };
    this.#fewer.most = Math.max(this.#fewer.most, needed);
    if (nowMs - this.#fewer.sinceMs >= this.#targets.holdMs) {
      this.#wantedSlots = this.#fewer.most;
      this.#fewer = undefined;
    }
    return this.#wantedSlots;
  }
}

function reasonOf(of: {
  readonly workers: number;
  readonly waiting: number;
  readonly wantedWorkers: number;
  /** How many would do at this moment. */
  readonly enough: number;
  readonly holdsBack: boolean;
}): ScalingReason {
  const { enough, holdsBack, waiting, wantedWorkers, workers } = of;
  if (workers === 0) return 'no_worker';
  if (wantedWorkers < workers) return 'idle';
  if (enough < wantedWorkers) return 'held';
  if (wantedWorkers > workers) return waiting > 0 ? 'backlog' : 'load';
  return holdsBack ? 'provider' : 'steady';
}

function sumOf(loads: Iterable<WorkerLoad>) {
  const sum = { workers: 0, slots: 0, fullSlots: 0, inFlight: 0 };
  for (const { fullSlots, inFlight, slots, state } of loads) {
    if (state.kind === 'dead') continue;
    sum.inFlight += inFlight;
    if (state.kind !== 'serving') continue;
    sum.workers += 1;
    sum.slots += slots;
    sum.fullSlots += Math.max(slots, fullSlots ?? slots);
  }
  return sum;
}

/** What a mean's rounding adds is no further slot. */
function roundedUp(value: number): number {
  return Math.max(0, Math.ceil(value - 1e-9));
}
