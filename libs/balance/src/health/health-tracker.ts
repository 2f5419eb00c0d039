import type { HealthSigns } from './health-score.ts';

/** Weight of the newest job in an average. */
const newest = 0.3;
/** What was seen loses half of its weight in this long: a sick worker is back after about 10 s. */
const halfLifeMs = 3_000;
/** An average that has faded this far says nothing any more. */
const forgottenBelow = 0.05;

/**
 * A worker's own view of its health: moving averages that fade while nothing is learned, which is the
 * slow return. A worker that was too slow gets a job now and then; if that is quick, or if none came
 * for a while, its share grows again.
 */
export class HealthTracker {
  #errorRate = 0;
  #firstTokenMs: number | undefined;
  #learnedAtMs = 0;

  /** A job ended. @param firstTokenMs absent when no token came */
  learn(job: { readonly failed: boolean; readonly firstTokenMs?: number }, nowMs: number): void {
    const before = this.signs(nowMs);
    this.#errorRate = before.errorRate + newest * (Number(job.failed) - before.errorRate);
    const { firstTokenMs } = job;
    if (firstTokenMs !== undefined) {
      // The peak counts at once and fades, as in peak-EWMA: slowness is to be noticed by one job.
      const average = before.firstTokenMs ?? firstTokenMs;
      this.#firstTokenMs =
        firstTokenMs > average ? firstTokenMs : average + newest * (firstTokenMs - average);
    } else {
      this.#firstTokenMs = before.firstTokenMs;
    }
    this.#learnedAtMs = nowMs;
  }

  /** The signs as of now, faded by the time since the last job ended. */
  signs(nowMs: number): HealthSigns {
    const left = 2 ** (-Math.max(0, nowMs - this.#learnedAtMs) / halfLifeMs);
    return {
      errorRate: left < forgottenBelow ? 0 : this.#errorRate * left,
      firstTokenMs:
        this.#firstTokenMs === undefined || left < forgottenBelow
          ? undefined
          : this.#firstTokenMs * left,
    };
  }
}
