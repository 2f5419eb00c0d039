/**
 * The grants that this balancer holds: what each worker's newest report deals it, less what it has
 * spent since. A report is a credit for a short time only; after that the worker may have dealt the
 * slot to somebody else.
 */
import type { BalancerId, JobId, LoadReport, WorkerId } from '@starling/contracts';
import type { WorkerLoad } from '../fleet-view.ts';

interface Granting {
  report: LoadReport;
  heardAtMs: number;
  /** Dispatches of ours that the report does not cover yet. */
  readonly spent: Map<JobId, 'unanswered' | 'accepted'>;
}

/** Reports of further workers are ignored at this many; a cell is at most 1 000 workers. */
const maxWorkers = 2_000;
/** A worker that was silent this long is forgotten. */
const forgetAfterMs = 60_000;

/** See the module's header. */
export class GrantView {
  readonly #self: BalancerId;
  readonly #validMs: number;
  readonly #workers = new Map<WorkerId, Granting>();

  constructor(parts: { readonly self: BalancerId; readonly validMs: number }) {
    this.#self = parts.self;
    this.#validMs = parts.validMs;
  }

  /** @returns whether the report was newer than what was known */
  report(report: LoadReport, nowMs: number): boolean {
    const known = this.#workers.get(report.workerId);
    if (!known) {
      this.#makeRoom(nowMs);
      if (this.#workers.size >= maxWorkers) return false;
      this.#workers.set(report.workerId, { report, heardAtMs: nowMs, spent: new Map() });
      return true;
    }
    const { epoch, sequence } = known.report;
    if (report.epoch < epoch || (report.epoch === epoch && report.sequence <= sequence)) return false;
    if (report.epoch > epoch) known.spent.clear();
    known.report = report;
    known.heardAtMs = nowMs;
    for (const [jobId, answer] of known.spent) {
      if (answer === 'accepted' || report.running.includes(jobId)) known.spent.delete(jobId);
    }
    return true;
  }

  spent(workerId: WorkerId, jobId: JobId): void {
    this.#workers.get(workerId)?.spent.set(jobId, 'unanswered');
  }

  /** The worker said yes (it counts until a report covers it), or anything else (it never counted). */
  answered(workerId: WorkerId, jobId: JobId, accepted: boolean): void {
    const spent = this.#workers.get(workerId)?.spent;
    if (!spent?.has(jobId)) return;
    if (accepted) spent.set(jobId, 'accepted');
    else spent.delete(jobId);
  }

  /** The worker drains or is gone: no more grants until it reports again. */
  forget(workerId: WorkerId): void {
    const known = this.#workers.get(workerId);
    if (known) known.heardAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Grants that can be spent now, over all workers. */
  available(nowMs: number): number {
    let available = 0;
    for (const known of this.#workers.values()) available += this.#free(known, nowMs);
    return available;
  }

  /** The workers whose grants we hold, with their load as their report and our own dispatches tell it. */
  *granted(nowMs: number): Generator<WorkerLoad> {
    for (const [workerId, known] of this.#workers) {
      if (this.#free(known, nowMs) <= 0) continue;
      const { slots, running } = known.report;
      yield { workerId, state: { kind: 'serving' }, slots, inFlight: running.length + known.spent.size };
    }
  }

  #free(known: Granting, nowMs: number): number {
    if (known.report.draining || nowMs - known.heardAtMs >= this.#validMs) return 0;
    return Math.max(0, (known.report.grants[this.#self] ?? 0) - known.spent.size);
  }

  #makeRoom(nowMs: number): void {
    if (this.#workers.size < maxWorkers) return;
    for (const [workerId, { heardAtMs }] of this.#workers) {
      if (nowMs - heardAtMs >= forgetAfterMs) this.#workers.delete(workerId);
    }
  }
}
