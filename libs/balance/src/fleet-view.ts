/**
 * What a balancer knows about the workers, built from their own load reports and from what it sent
 * them since. Occupancy is a set of leases keyed by job id, never a counter: a counter that misses
 * one decrement is wrong for ever, a set that a report replaces is right again 250 ms later.
 *
 * A dispatch counts against its worker from the moment it is sent until the worker's word covers it:
 * it is listed in a report, or it was answered and a later report leaves it out. That relies on one
 * promise of the bus: what one process sends another arrives in the order it was sent, so a report
 * received after the reply was written after the acceptance.
 */
import type { JobId, LoadReport, WorkerId } from '@starling/contracts';

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
  maxWorkers: 1_000,
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
  /** Jobs that hold a slot, by the last report and by our own dispatches since. */
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
  epoch: number;
  sequence: number;
  slots: number;
  draining: boolean;
  heardAtMs: number;
  running: ReadonlySet<JobId>;
  models: LoadReport['models'];
  /** Dispatches of ours that no report covers yet. */
  readonly sent: Map<JobId, 'unanswered' | 'accepted'>;
}

/** A balancer's view of its workers. Holds no timer and reads no clock: time is an argument. */
export class FleetView {
  readonly #limits: FleetViewLimits;
  readonly #workers = new Map<WorkerId, Known>();

  constructor(limits: FleetViewLimits = defaultFleetViewLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a worker's word over what was known. Reports of an older process or out of order are
   * stale: a higher epoch replaces a lower one, within an epoch the sequence only grows.
   */
  report(report: LoadReport, nowMs: number): ReportVerdict {
    const known = this.#workers.get(report.workerId);
    if (known === undefined) {
      this.#forget(nowMs);
      if (this.#workers.size >= this.#limits.maxWorkers) {
        return { kind: 'refused', reason: 'too_many_workers' };
      }
      this.#workers.set(report.workerId, {
        epoch: report.epoch,
        sequence: report.sequence,
        slots: report.slots,
        draining: report.draining,
        heardAtMs: nowMs,
        running: new Set(report.running),
        models: report.models,
        sent: new Map(),
      });
      return { kind: 'applied', newcomer: true };
    }
    const older =
      report.epoch < known.epoch ||
      (report.epoch === known.epoch && report.sequence <= known.sequence);
    if (older) return { kind: 'stale' };
    const newcomer = report.epoch > known.epoch;
    known.epoch = report.epoch;
    known.sequence = report.sequence;
    known.slots = report.slots;
    known.draining = report.draining;
    known.heardAtMs = nowMs;
    known.running = new Set(report.running);
    known.models = report.models;
    for (const [job, answer] of known.sent) {
      if (answer === 'accepted' || known.running.has(job)) known.sent.delete(job);
    }
    return { kind: 'applied', newcomer };
  }

  /** A run request is on its way: the slot counts as taken. */
  dispatched(workerId: WorkerId, jobId: JobId): void {
    this.#workers.get(workerId)?.sent.set(jobId, 'unanswered');
  }

  /** The worker said yes: the slot counts as taken until its next report. */
  accepted(workerId: WorkerId, jobId: JobId): void {
    const known = this.#workers.get(workerId);
    if (known?.sent.has(jobId)) known.sent.set(jobId, 'accepted');
  }

  /** The worker said no, or nothing: the dispatch no longer counts. Harmless when called twice. */
  released(workerId: WorkerId, jobId: JobId): void {
    this.#workers.get(workerId)?.sent.delete(jobId);
  }

  /** The live worker whose last report lists the job, if there is one. */
  holderOf(jobId: JobId, nowMs: number): WorkerId | undefined {
    for (const [workerId, known] of this.#workers) {
      if (known.running.has(jobId) && this.#silentMs(known, nowMs) < this.#limits.deadAfterMs) {
        return workerId;
      }
    }
    return undefined;
  }

  /** Every worker that is still remembered, the dead ones among them. */
  *loads(nowMs: number): Generator<WorkerLoad> {
    for (const [workerId, known] of this.#workers) {
      yield {
        workerId,
        state: this.#stateOf(known, nowMs),
        slots: known.slots,
        inFlight: known.running.size + known.sent.size,
        ...(known.models && { models: known.models }),
      };
    }
  }

  /** Slots that could take a job now. */
  freeSlots(nowMs: number): number {
    let free = 0;
    for (const { state, slots, inFlight } of this.loads(nowMs)) {
      if (state.kind === 'serving') free += Math.max(0, slots - inFlight);
    }
    return free;
  }

  /** Workers that are heard and not draining, full or not. */
  serving(nowMs: number): number {
    let serving = 0;
    for (const { state } of this.loads(nowMs)) if (state.kind === 'serving') serving += 1;
    return serving;
  }

  #silentMs(known: Known, nowMs: number): number {
    return nowMs - known.heardAtMs;
  }

  #stateOf(known: Known, nowMs: number): WorkerState {
    const silentMs = this.#silentMs(known, nowMs);
    if (silentMs >= this.#limits.deadAfterMs) return { kind: 'dead', silentMs };
    return known.draining ? { kind: 'draining' } : { kind: 'serving' };
  }

  #forget(nowMs: number): void {
    for (const [workerId, known] of this.#workers) {
      if (this.#silentMs(known, nowMs) >= this.#limits.forgetAfterMs) {
        this.#workers.delete(workerId);
      }
    }
  }
}
