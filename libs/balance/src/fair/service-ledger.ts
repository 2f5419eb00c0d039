/**
 * How much each flow (a guild, or a user within one) was served, in LLM tokens: the virtual token
 * counters of "Fairness in Serving Large Language Models" (OSDI 2024). The least served flow is next;
 * the difference between two flows that both wait stays within a constant. A flow that comes back from
 * idle is lifted to the least counter among the waiting, so that it can neither save up service nor
 * shed a debt.
 */
export class ServiceLedger {
  readonly #served = new Map<string, number>();
  readonly #maxFlows: number;

  /** @param maxFlows flows remembered; beyond it the one charged longest ago is forgotten (and lifted on return) */
  constructor(maxFlows: number) {
    this.#maxFlows = maxFlows;
  }

  /** What the flow was served, in tokens; 0 for one never seen. */
  of(flow: string): number {
    return this.#served.get(flow) ?? 0;
  }

  /** A flow starts to wait while the least served of those waiting has `least`. */
  lift(flow: string, least: number | undefined): number {
    const served = Math.max(this.of(flow), least ?? 0);
    this.#put(flow, served);
    return served;
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
    if (this.#served.size > this.#maxFlows) {
      const [oldest] = this.#served.keys();
      if (oldest !== undefined) this.#served.delete(oldest);
    }
  }
}
