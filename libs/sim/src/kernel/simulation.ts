/**
 * A discrete-event simulation: a heap of things to do, each at a time, run one after the other. Nothing
 * waits and nothing is parallel, so a run is repeated exactly by its seed. Of things due at one instant
 * the one planned first runs first.
 */
import { type Random, seededRandom } from '@starling/clock';

/** See the module's header. Times are milliseconds; the first instant is {@link Simulation.startMs}. */
export class Simulation {
  readonly random: Random;
  readonly startMs: number;
  #nowMs: number;
  #planned = 0;
  #done = 0;
  // One heap in three arrays: a run of ten million events allocates nothing for them but its closures.
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #actions: (() => void)[] = [];

  constructor(parts: { readonly seed: number; readonly startMs?: number }) {
    this.random = seededRandom(parts.seed);
    this.startMs = parts.startMs ?? 1_700_000_000_000;
    this.#nowMs = this.startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have run. */
  get events(): number {
    return this.#done;
  }

  /** Plans `action` for `delayMs` from now. */
  after(delayMs: number, action: () => void): void {
    this.#push(this.#nowMs + Math.max(0, delayMs), action);
  }

  /** Plans `action` again and again, first after `firstMs`, until it returns false. */
  every(periodMs: number, firstMs: number, action: () => boolean): void {
    const run = () => {
      if (action()) this.after(periodMs, run);
    };
    this.after(firstMs, run);
  }

  /** Runs the next event if there is one that is due by `untilMs`. @returns whether it did */
  step(untilMs: number): boolean {
    const atMs = this.#times[0];
    const action = this.#actions[0];
    if (atMs === undefined || action === undefined || atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, Math.min(untilMs, atMs ?? untilMs));
      return false;
    }
    this.#pop();
    this.#nowMs = atMs;
    this.#done += 1;
    action();
    return true;
  }

  /** Runs everything that is due by `untilMs`, or until `enough` says so. */
  run(untilMs: number, enough: () => boolean = () => false): void {
    while (!enough() && this.step(untilMs)) {
      // Each step is the work.
    }
  }

  #push(atMs: number, action: () => void): void {
    const [times, orders, actions] = [this.#times, this.#orders, this.#actions];
    const order = this.#planned++;
    let at = times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // The newest order is the greatest: it goes before its parent only when it is earlier.
      if ((times[parent] as number) <= atMs) break;
      times[at] = times[parent] as number;
      orders[at] = orders[parent] as number;
      actions[at] = actions[parent] as () => void;
      at = parent;
    }
    times[at] = atMs;
    orders[at] = order;
    actions[at] = action;
  }

  #pop(): void {
    const [times, orders, actions] = [this.#times, this.#orders, this.#actions];
    const time = times.pop() as number;
    const order = orders.pop() as number;
    const action = actions.pop() as () => void;
    const size = times.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, child)) child += 1;
      const childTime = times[child] as number;
      const before = childTime < time || (childTime === time && (orders[child] as number) < order);
      if (!before) break;
      times[at] = childTime;
      orders[at] = orders[child] as number;
      actions[at] = actions[child] as () => void;
      at = child;
    }
    times[at] = time;
    orders[at] = order;
    actions[at] = action;
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#times[a] as number, this.#times[b] as number];
    return (
      first < second ||
      (first === second && (this.#orders[a] as number) < (this.#orders[b] as number))
    );
  }
}
