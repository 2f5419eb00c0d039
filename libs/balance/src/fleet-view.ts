/**
 * Which workers there are, by their own load reports: who is heard, who drains, what each can serve. It
 * decides nothing about slots, which are the {@link GrantView}'s business; it tells the fleet's state to
 * whoever asks.
 */
import type { LoadReport, WorkerId } from '@starling/contracts';
import { isNews } from './core/report-order.ts';

/** Bounds of a {@link FleetView}. Times are milliseconds of a clock that never runs backwards. */
export interface FleetViewLimits {
  /** A worker that was silent this long is dead: it gets nothing. */
  readonly deadAfterMs: number;
  /** A worker that was silent this long is forgotten. */
  readonly forgetAfterMs: number;
  /** Reports of further workers are refused at this many. */
  readonly maxWorkers: number;
}

/** Twelve missed reports (one missed second is a long garbage collection, not a death). */
export const defaultFleetViewLimits: FleetViewLimits = {
  deadAfterMs: 3_000,
  forgetAfterMs: 60_000,
  maxWorkers: 2_000,
};

/** Whether a worker may get work. */
export type WorkerState =
  | { readonly kind: 'serving' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'dead'; readonly silentMs: number };

/** One worker as a choice sees it. */
export interface WorkerLoad {
  readonly workerId: WorkerId;
  readonly state: WorkerState;
  readonly slots: number;
  /** Slots that it has when its provider does not answer late; absent: `slots`. */
  readonly fullSlots?: number;
  /** Jobs that hold a slot. */
  readonly inFlight: number;
  /** Models that it serves and those it has in memory; absent means any. */
  readonly models?: { readonly served: readonly string[]; readonly loaded: readonly string[] };
  /** Health in (0, 1]; absent means well. */
  readonly score?: number;
  /** Recent time to the first token, milliseconds; absent when nothing ran lately. */
  readonly firstTokenMs?: number;
}

/** What became of a report. */
export type ReportVerdict =
  | { readonly kind: 'applied'; readonly newcomer: boolean }
  | { readonly kind: 'stale' }
  | { readonly kind: 'refused'; readonly reason: 'too_many_workers' };

interface Known {
  report: LoadReport;
  heardAtMs: number;
}

/** A balancer's view of its workers. Holds no timer and reads no clock: time is an argument. */
export class FleetView {
  readonly #limits: FleetViewLimits;
  readonly #workers = new Map<WorkerId, Known>();

  constructor(limits: FleetViewLimits = defaultFleetViewLimits) {
    this.#limits = limits;
  }

  /** Takes a worker's word over what was known. */
  report(report: LoadReport, nowMs: number): ReportVerdict {
    const { workerId } = report;
    const known = this.#workers.get(workerId);
    if (known && !isNews(report, known, nowMs)) return { kind: 'stale' };
    if (!known) this.#forget(nowMs);
    if (!known && this.#workers.size >= this.#limits.maxWorkers) {
      return { kind: 'refused', reason: 'too_many_workers' };
    }
    this.#workers.set(workerId, { report, heardAtMs: nowMs });
    return { kind: 'applied', newcomer: known?.report.epoch !== report.epoch };
  }

  /** Every worker that is still remembered, the dead ones among them. */
  *loads(nowMs: number): Generator<WorkerLoad> {
    for (const [workerId, known] of this.#workers) {
      const { fullSlots, models, running, slots } = known.report;
      yield {
        workerId,
        state: this.#stateOf(known, nowMs),
        slots,
        inFlight: running.length,
        ...(fullSlots !== undefined && { fullSlots }),
        ...(models && { models }),
      };
    }
  }

  /** Whether a worker is heard and not draining, full or not. Asked for each job: the first one answers it. */
  anyServing(nowMs: number): boolean {
    for (const known of this.#workers.values()) {
      if (this.#stateOf(known, nowMs).kind === 'serving') return true;
    }
    return false;
  }

  #silentMs(known: Known, nowMs: number): number {
    return nowMs - known.heardAtMs;
  }

  #stateOf(known: Known, nowMs: number): WorkerState {
    const silentMs = this.#silentMs(known, nowMs);
    if (silentMs >= this.#limits.deadAfterMs) return { kind: 'dead', silentMs };
    return known.report.draining ? { kind: 'draining' } : { kind: 'serving' };
  }

  #forget(nowMs: number): void {
    for (const [workerId, known] of this.#workers) {
      if (this.#silentMs(known, nowMs) >= this.#limits.forgetAfterMs) {
        this.#workers.delete(workerId);
      }
    }
  }
}
