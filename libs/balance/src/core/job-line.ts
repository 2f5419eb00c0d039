import type { JobId } from '@starling/contracts';

/** Work on a job that waits for its turn. */
export interface Turn {
  /** Asked when the turn has come: whether it still has to be done. */
  readonly isWanted: () => boolean;
  /** Begins it; it calls `over` once, whatever came of it. */
  readonly work: (over: () => void) => void;
}

/**
 * Work on jobs: a bounded number at once, and on one job one thing after the other. What is asked for
 * again while it waits takes the place of what waits, so that the line is never longer than the jobs are
 * many; what is not wanted any more when its turn comes is left out. Thousands of jobs that fail in the
 * same moment cost a call each then, however often they are asked for until the last one had its turn.
 */
export class JobLine {
  readonly #atOnce: number;
  readonly #waiting = new Map<JobId, Turn>();
  readonly #busy = new Set<JobId>();

  /** @param atOnce jobs that are worked on at the same time */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  get sizes() {
    return { inLine: this.#waiting.size, atWork: this.#busy.size };
  }

  /** Takes a turn now, or as soon as there is room and nothing else is done for this job. */
  ask(jobId: JobId, turn: Turn): void {
    this.#waiting.set(jobId, turn);
    this.#goOn();
  }

  #goOn(): void {
    for (const [jobId, turn] of this.#waiting) {
      if (this.#busy.size >= this.#atOnce) return;
      if (this.#busy.has(jobId)) continue;
      this.#waiting.delete(jobId);
      if (turn.isWanted()) this.#take(jobId, turn);
    }
  }

  #take(jobId: JobId, { work }: Turn): void {
    this.#busy.add(jobId);
    work(() => {
      if (this.#busy.delete(jobId)) this.#goOn();
    });
  }
}
