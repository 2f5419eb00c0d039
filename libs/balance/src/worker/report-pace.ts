/** Times between the reports of a worker, milliseconds. */
export interface ReportGaps {
  /** Mean time between two reports at least, when balancers wait for slots that come free … */
  readonly pressingGapMs: number;
  /** … and how many of them may come at once: slots of long answers come free in bursts. */
  readonly pressingBurst: number;
  /** Between the first of other changes and its report. Longer costs balancers exactness, shorter costs them time. */
  readonly changeGapMs: number;
}

/**
 * When a worker speaks of a change. What a balancer waits for is told at once, since a slot is idle until
 * the word has come, unless such words came thick and fast (a leaky bucket, as the generic cell rate
 * algorithm of ITU-T I.371 counts it); the rest a little later, with all that changed meanwhile. Each
 * report is read by every balancer, so that a word for each change would cost more than the jobs it
 * tells of.
 */
export class ReportPace {
  readonly #gaps: ReportGaps;
  /** When the reports so far would have been written, had each come a gap after the one before. */
  #paidUntilMs = Number.NEGATIVE_INFINITY;
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
    const { changeGapMs, pressingBurst, pressingGapMs } = this.#gaps;
    const earliestMs = this.#paidUntilMs - (pressingBurst - 1) * pressingGapMs;
    const dueAtMs = change === 'plain' ? nowMs + changeGapMs : Math.max(nowMs, earliestMs);
    if (dueAtMs >= this.#dueAtMs) return undefined;
    this.#dueAtMs = dueAtMs;
    return dueAtMs - nowMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** A report was written: it told all there is. */
  said(nowMs: number): void {
    this.#paidUntilMs = Math.max(nowMs, this.#paidUntilMs) + this.#gaps.pressingGapMs;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }
}
