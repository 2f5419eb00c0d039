import type { Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { encode, type LoadReport, loadReportContract, subjects } from '@starling/contracts';

/** What a worker says of itself at this moment. */
export type Load = Pick<LoadReport, 'slots' | 'running' | 'draining'>;

/** Tells every balancer this worker's load: at intervals, and at once on a change (features B3). */
export class LoadReporter implements Disposable {
  readonly #parts: {
    readonly messaging: Messaging;
    readonly clock: Clock;
    readonly workerId: LoadReport['workerId'];
    readonly everyMs: number;
    readonly read: () => Load;
  };
  /** The process's start: a restarted worker's reports replace those of its predecessor. */
  readonly #epoch: number;
  #sequence = 0;
  #timer: Disposable | undefined;

  constructor(parts: {
    readonly messaging: Messaging;
    readonly clock: Clock;
    readonly workerId: LoadReport['workerId'];
    readonly everyMs: number;
    readonly read: () => Load;
  }) {
    this.#parts = parts;
    this.#epoch = parts.clock.nowMs();
  }

  /** Reports now, and from now on every interval. */
  report(): void {
    const { messaging, clock, workerId, everyMs, read } = this.#parts;
    this[Symbol.dispose]();
    this.#timer = clock.schedule(everyMs, () => this.report());
    const report = encode(loadReportContract, {
      workerId,
      epoch: this.#epoch,
      sequence: this.#sequence++,
      ...read(),
    });
    try {
      messaging.publish(subjects.load(workerId), report);
    } catch {
      // The bus is away, and so are the balancers; the next report tells them all that counts.
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
