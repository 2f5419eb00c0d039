/**
 * Takes jobs from the queue, never more than there is room for: what cannot run yet waits in the
 * queue, where whichever balancer first sees a free slot can take it (late binding).
 */
import type { QueuedMessage, WorkQueue } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import type { RoleTelemetry } from '@starling/telemetry';
import { Wakeup } from './wakeup.ts';

export interface IntakeParts {
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  /** How many jobs may be taken now. */
  readonly room: () => number;
  readonly onMessage: (message: QueuedMessage) => void;
}

/** A look at the room happens at least this often, changes or not: a worker dies without a message. */
const lookEveryMs = 250;
/** One wait for messages; the room may have changed by then. */
const takeWaitMs = 1_000;
/** Pause after a failed take, drawn between half of it and all: the server is away or restarts. */
const afterFailureMs = 500;

export class JobIntake {
  readonly #parts: IntakeParts;
  readonly #stop = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #ended: Promise<void>;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#ended = this.#loop();
  }

  /** The room may have grown. */
  ring(): void {
    this.#wakeup.ring();
  }

  /** Takes nothing more; resolves when no take is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wakeup.ring();
    await this.#ended;
  }

  async #loop(): Promise<void> {
    const { queue, clock, random, room, onMessage, telemetry } = this.#parts;
    const { signal } = this.#stop;
    // The first look is after the constructor: the owner knows us by then.
    await Promise.resolve();
    while (!signal.aborted) {
      const max = room();
      if (max <= 0) {
        await this.#wakeup.wait(clock, lookEveryMs);
        continue;
      }
      try {
        for (const message of await queue.take({ max, waitMs: takeWaitMs, signal })) {
          onMessage(message);
        }
      } catch (error) {
        if (signal.aborted) return;
        telemetry.log('intake').warn('take.failed', { error });
        await this.#wakeup.wait(clock, afterFailureMs * (0.5 + random.next() / 2));
      }
    }
  }
}
