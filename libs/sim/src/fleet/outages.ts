import type { Bus } from './bus.ts';
import type { SimChild } from './sim-child.ts';

/** When a child could not be reached: dead, stopped or cut off. It shows nothing then, whoever tells it. */
export class Outages {
  readonly #past: { readonly fromMs: number; readonly toMs: number }[] = [];
  #sinceMs: number | undefined;

  /** To be called after each event. */
  look(child: SimChild, bus: Bus, nowMs: number): void {
    const isThere = child.node.alive && !child.node.paused && bus.isUp(child.node);
    if (!isThere) this.#sinceMs ??= nowMs;
    else if (this.#sinceMs !== undefined) {
      this.#past.push({ fromMs: this.#sinceMs, toMs: nowMs });
      this.#sinceMs = undefined;
    }
  }

  /** How much of a time there was an outage, milliseconds. */
  within(fromMs: number, toMs: number): number {
    let sum = this.#sinceMs === undefined ? 0 : Math.max(0, toMs - Math.max(fromMs, this.#sinceMs));
    for (const past of this.#past) {
      sum += Math.max(0, Math.min(toMs, past.toMs) - Math.max(fromMs, past.fromMs));
    }
    return sum;
  }
}
