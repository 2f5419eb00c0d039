import type { Clock } from '@starling/clock';
import type { DecodeFault } from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import { buryJob } from '../delivery/bury-job.ts';
import type { Jobs } from '../delivery/open-jobs.ts';

/** As many as there are dead letters; further ones are found when the feed is read anew. */
const maxWaiting = 1_000;
/** A store that did not take one is asked again after this. */
const retryMs = 5_000;

interface BurialParts {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly telemetry: RoleTelemetry;
}

/** Messages of `JOBS` that no process can place: each is buried, one after the other, until it is done. */
export class Burials {
  readonly #parts: BurialParts;
  /** Why each cannot be read, by its place in `JOBS`. */
  readonly #waiting = new Map<number, DecodeFault>();
  #busy = false;
  #againAtMs = 0;

  constructor(parts: BurialParts) {
    this.#parts = parts;
  }

  add(sequence: number, fault: DecodeFault): void {
    if (this.#waiting.size >= maxWaiting) return;
    this.#waiting.set(sequence, fault);
    void this.#dig();
  }

  /** Tries again what failed, when it is time; to be called several times a second. */
  look(): void {
    if (this.#waiting.size > 0 && this.#parts.clock.monotonicMs() >= this.#againAtMs)
      void this.#dig();
  }

  async #dig(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (const [sequence, fault] of this.#waiting) {
      if (!(await buryJob(this.#parts, sequence, fault))) break;
      this.#waiting.delete(sequence);
    }
    this.#againAtMs = this.#parts.clock.monotonicMs() + retryMs;
    this.#busy = false;
  }
}
