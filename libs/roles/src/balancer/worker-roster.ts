import { FleetView, type WorkerLoad } from '@starling/balance';
import type { Clock } from '@starling/clock';
import type { LoadReport } from '@starling/contracts';
import type { Logger } from '@starling/telemetry';

/** Which workers there are, told to an operator as they come. */
export class WorkerRoster {
  readonly #view = new FleetView();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(parts: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  heard(report: LoadReport): void {
    const { slots, workerId } = report;
    const verdict = this.#view.report(report, this.#clock.monotonicMs());
    if (verdict.kind === 'refused') this.#log.warn('worker.refused', { workerId, ...verdict });
    if (verdict.kind === 'applied' && verdict.newcomer)
      this.#log.info('worker.joined', { workerId, slots });
  }

  /** Whether a worker is heard and not draining, full or not. */
  get anyServing(): boolean {
    return this.#view.anyServing(this.#clock.monotonicMs());
  }

  /** Every worker that is still remembered, the dead ones among them. */
  loads(): Iterable<WorkerLoad> {
    return this.#view.loads(this.#clock.monotonicMs());
  }
}
