/** Times between the reports of a worker, milliseconds. */
export interface ReportGaps {
  /** Least time between two reports when a balancer waits for a slot that came free. */
  readonly pressingGapMs: number;
  /** Between the first of other changes and its report. Longer costs balancers exactness, shorter costs them time. */
  readonly changeGapMs: number;
}

/**
 * When a worker speaks of a change. What a balancer waits for is told at once, unless the last word was
 * a moment ago; the rest a little later, with all that changed meanwhile. Each report is read by every
 * balancer, so that a word for each change would cost more than the jobs it tells of.
 */
export class ReportPace {
  readonly #gaps: ReportGaps;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(gaps: ReportGaps) {
    this.#gaps = gaps;
  }

  /**
   * Something changed.
   * @returns 0 to report now, milliseconds after which to ask {@link isDue}, or undefined when a wake
   *   is on its way that is early enough
   */
  changed(change: 'pressing' | 'plain', nowMs: number): number | undefined {
    const { changeGapMs, pressingGapMs } = this.#gaps;
    const dueAtMs =
      change === 'plain' ? nowMs + changeGapMs : Math.max(nowMs, this.#saidAtMs + pressingGapMs);
    if (dueAtMs >= this.#dueAtMs) return undefined;
    this.#dueAtMs = dueAtMs;
    return dueAtMs - nowMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** A report was written: it told all there is. */
  said(nowMs: number): void {
    this.#saidAtMs = nowMs;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }
}
