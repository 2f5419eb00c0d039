/**
 * The grants that this balancer may spend: what each worker's newest report deals it, less what it has
 * spent since; and what lies with peers that have no use for it. A report is a credit for a short time
 * only; after that the worker may have dealt the slot to somebody else.
 */
import type { BalancerId, JobId, LoadReport, Took, WorkerId } from '@starling/contracts';
import { meanLoadOf, serves } from '../choice/choose-worker.ts';
import type { HeardReport } from '../choice/unserved.ts';
import type { WorkerLoad } from '../fleet-view.ts';
import {
  type FleetNorm,
  fleetNorm,
  type HealthSigns,
  healthScore,
} from '../health/health-score.ts';
import type { CoreCounts } from './core-counts.ts';
import type { PeerBook } from './peer-book.ts';
import { PeerGrants } from './peer-grants.ts';
import { isNews } from './report-order.ts';
import { evenly, type SpendableSlots } from './spendable-slots.ts';

interface Granting {
  report: LoadReport;
  reportedAtMs: number;
  /** From when its grants count: the same, or never when it refused since. */
  heardAtMs: number;
  /** Dispatches of ours that the report does not cover yet. */
  readonly spent: Map<JobId, { readonly sinceMs: number; answered: boolean }>;
}

/** Reports of further workers are ignored at this many; a cell is at most 1 000 workers. */
const maxWorkers = 2_000;
/** A worker that was silent this long is forgotten. */
const forgetAfterMs = 60_000;
/** Longer than the shell waits for an answer: it owes one, and a slot must not leak where it fails. */
const neverAnsweredMs = 5_000;
/** What is usual in the fleet is computed again after this long. */
const normMs = 250;

/** What a {@link GrantView} is made of. */
interface GrantViewParts {
  readonly self: BalancerId;
  readonly peers: PeerBook;
  /** A report is a credit for this long. */
  readonly validMs: number;
  /** A peer's grant that lies for this long is anybody's to spend, by rank. */
  readonly lieMs: number;
  readonly counts: CoreCounts;
}

/** See the module's header. */
export class GrantView {
  readonly #parts: GrantViewParts;
  readonly #workers = new Map<WorkerId, Granting>();
  /** Workers that have a grant of ours left, or had when they were last looked at. */
  readonly #open = new Map<WorkerId, Granting>();
  readonly #lying: PeerGrants;
  #norm: FleetNorm = { errorRate: 0, firstTokenMs: undefined };
  #normAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GrantViewParts) {
    this.#parts = parts;
    this.#lying = new PeerGrants(parts.self);
  }

  /** @returns whether the report was newer than what was known */
  report(report: LoadReport, nowMs: number): boolean {
    let known = this.#workers.get(report.workerId);
    if (!known) {
      this.#makeRoom(nowMs);
      if (this.#workers.size >= maxWorkers) return false;
      known = { report, reportedAtMs: nowMs, heardAtMs: nowMs, spent: new Map() };
      this.#workers.set(report.workerId, known);
    } else {
      const last = { report: known.report, heardAtMs: known.reportedAtMs };
      if (!isNews(report, last, nowMs)) return false;
      if (report.epoch !== known.report.epoch) known.spent.clear();
      known.report = report;
      known.heardAtMs = nowMs;
      known.reportedAtMs = nowMs;
      this.#settle(known, nowMs);
    }
    if ((report.grants?.[this.#parts.self] ?? 0) > 0) this.#open.set(report.workerId, known);
    else this.#open.delete(report.workerId);
    this.#lying.report(report, nowMs);
    return true;
  }

  /** A run request is on its way: the grant is spent. */
  spent(workerId: WorkerId, jobId: JobId, nowMs: number): void {
    const known = this.#workers.get(workerId);
    if (!known) return;
    if (this.#free(known, nowMs) <= 0) {
      this.#lying.spent(workerId, this.#parts.self);
      this.#parts.counts.borrowed += 1;
    }
    known.spent.set(jobId, { sinceMs: nowMs, answered: false });
  }

  /** A peer sent a job to a worker: with a grant of its own, or of another one, or of ours. */
  peerSpent(
    { balancerId, jobId, workerId }: Pick<Took, 'balancerId' | 'jobId' | 'workerId'>,
    nowMs: number,
  ): void {
    if (this.#lying.spent(workerId, balancerId)) return;
    const known = this.#workers.get(workerId);
    if (known && this.#free(known, nowMs) > 0) {
      known.spent.set(jobId, { sinceMs: nowMs, answered: true });
    }
  }

  /**
   * The worker answered, or did not: a report written from now on tells what became of the slot. Until
   * then it counts as taken, also when the claim was lost, since the worker may deal it to another.
   */
  answered(workerId: WorkerId, jobId: JobId): void {
    const spent = this.#workers.get(workerId)?.spent.get(jobId);
    if (spent) spent.answered = true;
  }

  /** The worker is full, drains or is gone: none of its grants counts until it reports again. */
  forget(workerId: WorkerId): void {
    const known = this.#workers.get(workerId);
    if (known) known.heardAtMs = Number.NEGATIVE_INFINITY;
    this.#open.delete(workerId);
    this.#lying.forget(workerId);
  }

  /** Whether the worker reported a moment ago, and means to go on. */
  isHeard(workerId: WorkerId, nowMs: number): boolean {
    const known = this.#workers.get(workerId);
    return (
      known !== undefined && !known.report.draining && nowMs - known.heardAtMs < this.#parts.validMs
    );
  }

  /** The worker's load as its report and our own dispatches tell it. */
  loadOf(workerId: WorkerId): WorkerLoad | undefined {
    const known = this.#workers.get(workerId);
    return known && this.#load(workerId, known);
  }

  /** What each worker said last, draining or not, granted or not, dead or alive. */
  get reports(): Iterable<HeardReport> {
    return this.#workers.values();
  }

  /** What we hold grants of. */
  ours(nowMs: number): SpendableSlots {
    return this.#spendable(() => this.#granted(nowMs), nowMs);
  }

  /**
   * What we hold grants of, and what lies with peers for so long that we may spend it in their place
   * where a worker of ours is more than a job ahead of theirs.
   */
  all(nowMs: number): SpendableSlots {
    const lent = this.#spendable(() => this.#borrowable(nowMs), nowMs);
    return evenly(this.ours(nowMs), lent);
  }

  /**
   * When the next of the grants that lie with peers may be spent, infinite when all of them may be now;
   * `undefined` when there is none.
   */
  nextBorrowAtMs(nowMs: number): number | undefined {
    if (this.#lying.size === 0) return undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const workerId of this.#lying.workers) {
      const atMs = this.#oursAtMs(workerId);
      if (atMs > nowMs) nextMs = Math.min(nextMs, atMs);
    }
    return nextMs;
  }

  get sizes() {
    let spent = 0;
    for (const known of this.#workers.values()) spent += known.spent.size;
    const { size: lying } = this.#lying;
    return { workers: this.#workers.size, granting: this.#open.size, lying, spent };
  }

  /** Slots that are ours to fill now. */
  free(nowMs: number): number {
    let free = 0;
    for (const known of this.#open.values()) free += this.#free(known, nowMs);
    return free;
  }

  /** In flight per slot over all workers that are heard, granted or not. */
  meanLoad(nowMs: number): number {
    const loads: WorkerLoad[] = [];
    for (const [workerId, known] of this.#workers) {
      if (nowMs - known.heardAtMs < this.#parts.validMs) loads.push(this.#load(workerId, known));
    }
    return meanLoadOf(loads);
  }

  /** What the newest report covers counts no more; nor does a request that nobody ever answered. */
  #settle({ report, spent }: Granting, nowMs: number): void {
    for (const [jobId, { sinceMs, answered }] of spent) {
      const told =
        report.running.includes(jobId) || report.ended?.some((end) => end.jobId === jobId);
      if (answered || told || nowMs - sinceMs >= neverAnsweredMs) spent.delete(jobId);
    }
  }

  #spendable(workers: () => Iterable<[WorkerId, Granting]>, nowMs: number): SpendableSlots {
    return {
      canServe: (model) => {
        for (const [workerId, known] of workers()) {
          if (serves(this.#load(workerId, known), model)) return true;
        }
        return false;
      },
      loads: () => Array.from(workers(), ([id, known]) => this.#scored(id, known, nowMs)),
    };
  }

  *#granted(nowMs: number): Generator<[WorkerId, Granting]> {
    for (const entry of this.#open) {
      if (this.#free(entry[1], nowMs) > 0) yield entry;
      else this.#shut(...entry, nowMs);
    }
  }

  *#borrowable(nowMs: number): Generator<[WorkerId, Granting]> {
    for (const workerId of this.#lying.workers) {
      const known = this.#workers.get(workerId);
      if (!known || nowMs - known.heardAtMs >= this.#parts.validMs) continue;
      if (nowMs >= this.#oursAtMs(workerId)) yield [workerId, known];
    }
  }

  /** In an order that differs from worker to worker, so that those in need do not all take the same one. */
  #oursAtMs(workerId: WorkerId): number {
    const { lieMs, peers, self } = this.#parts;
    return this.#lying.lyingSinceMs(workerId) + lieMs * (1 + peers.rankOf(workerId, self));
  }

  #scored(workerId: WorkerId, known: Granting, nowMs: number): WorkerLoad {
    const score = healthScore(signsOf(known.report), this.#normAt(nowMs));
    return { ...this.#load(workerId, known), score };
  }

  #load(workerId: WorkerId, { report, spent }: Granting): WorkerLoad {
    return {
      workerId,
      state: { kind: 'serving' },
      slots: report.slots,
      inFlight: report.running.length + spent.size,
      ...(report.models && { models: report.models }),
      ...(report.firstTokenMs !== undefined && { firstTokenMs: report.firstTokenMs }),
    };
  }

  #free(known: Granting, nowMs: number): number {
    if (known.report.draining || nowMs - known.heardAtMs >= this.#parts.validMs) return 0;
    return Math.max(0, (known.report.grants?.[this.#parts.self] ?? 0) - known.spent.size);
  }

  /** A void report is looked at no more; one whose grants are spent may get them back by an answer. */
  #shut(workerId: WorkerId, known: Granting, nowMs: number): void {
    if (nowMs - known.heardAtMs < this.#parts.validMs) return;
    this.#open.delete(workerId);
    this.#parts.counts.grantsVoid += 1;
  }

  #normAt(nowMs: number): FleetNorm {
    if (nowMs - this.#normAtMs >= normMs) {
      const heard = [...this.#workers.values()].filter(
        ({ heardAtMs }) => nowMs - heardAtMs < this.#parts.validMs,
      );
      this.#norm = fleetNorm(heard.map(({ report }) => signsOf(report)));
      this.#normAtMs = nowMs;
    }
    return this.#norm;
  }

  #makeRoom(nowMs: number): void {
    if (this.#workers.size < maxWorkers) return;
    for (const [workerId, { reportedAtMs }] of this.#workers) {
      if (nowMs - reportedAtMs < forgetAfterMs) continue;
      this.#workers.delete(workerId);
      this.#lying.forget(workerId);
    }
  }
}

function signsOf({ errorRate = 0, firstTokenMs }: LoadReport): HealthSigns {
  return { errorRate, firstTokenMs };
}
