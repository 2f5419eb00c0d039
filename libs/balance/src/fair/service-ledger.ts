/**
 * How much each flow (a guild, or a user within one) was served, in LLM tokens: the virtual token
 * counters of "Fairness in Serving Large Language Models" (OSDI 2024). The least served flow is next;
 * the difference between two flows that both wait stays within a constant. A flow that starts to wait
 * is lifted to the virtual time, which is where the least served stood when the last job left (start-time
 * fair queueing, Goyal 1996): it can neither save up service by idling nor begin at zero, far behind
 * those that have been here for a day, and it goes before a backlog that was just served. What it owes
 * from then is bounded, so that an old feast cannot starve it.
 */
export class ServiceLedger {
  readonly #served = new Map<string, number>();
  readonly #maxFlows: number;
  readonly #maxDebt: number;

  /**
   * @param options.maxFlows flows remembered; beyond it those charged longest ago are forgotten (and lifted on return)
   * @param options.maxDebt most tokens that a flow coming back from idle may stand above the least served
   */
  constructor({ maxFlows, maxDebt }: { readonly maxFlows: number; readonly maxDebt: number }) {
    this.#maxFlows = maxFlows;
    this.#maxDebt = maxDebt;
  }

  /** What the flow was served, in tokens; 0 for one never seen. */
  of(flow: string): number {
    return this.#served.get(flow) ?? 0;
  }

  /** A flow starts to wait at the virtual time `least`. */
  lift(flow: string, least: number): number {
    const served = Math.min(Math.max(this.of(flow), least), least + this.#maxDebt);
    this.#put(flow, served);
    return served;
  }

  /** Raises a counter to at least `served`: a virtual time only grows. */
  raise(flow: string, served: number): void {
    if (served > this.of(flow)) this.#put(flow, served);
  }

  /** Adds tokens (or takes back what an estimate had too much). Never below zero. */
  charge(flow: string, tokens: number): number {
    const served = Math.max(0, this.of(flow) + tokens);
    this.#put(flow, served);
    return served;
  }

  get size(): number {
    return this.#served.size;
  }

  #put(flow: string, served: number): void {
    this.#served.delete(flow);
    this.#served.set(flow, served);
    if (this.#served.size <= this.#maxFlows) return;
    // A tenth at once: looking for the oldest entry of a large map costs more than deleting it.
    let surplus = Math.ceil(this.#maxFlows / 10);
    for (const oldest of this.#served.keys()) {
      if (surplus-- <= 0) break;
      this.#served.delete(oldest);
    }
  }
}
