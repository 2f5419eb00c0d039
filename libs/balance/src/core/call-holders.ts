/**
 * Which worker holds the call that a job may share (features A8): by our own dispatches, by what peers
 * say, by reports. Nothing more is told on the bus for it than the jobs themselves, whose keys stand in
 * their headers. What is believed here may be wrong: the worker refuses, and the job waits in line.
 */
import type { CallKey, JobId, WorkerId } from '@starling/contracts';
import type { TrackedJob } from './job-state.ts';

interface Holder {
  readonly workerId: WorkerId;
  /** Jobs of the key that are there. */
  readonly jobs: Set<JobId>;
  /** The worker said that it has one of them. */
  confirmed: boolean;
}

/** A job that waits, and where its call is. */
export interface Followable {
  readonly job: TrackedJob;
  readonly workerId: WorkerId;
}

/** See the module's header. */
export class CallHolders {
  readonly #limits: { readonly keptMs: number; readonly maxKept: number };
  readonly #holders = new Map<CallKey, Holder>();
  /** Calls that are over, and until when their answer may still be had; the first to go in front. */
  readonly #kept = new Map<CallKey, number>();
  readonly #waiting = new Map<CallKey, Set<TrackedJob>>();
  /** Keys that are waited for and held. */
  readonly #ready = new Set<CallKey>();

  /** @param limits.keptMs for so long after a job's end its worker is believed to have the answer */
  constructor(limits: { readonly keptMs: number; readonly maxKept: number }) {
    this.#limits = limits;
  }

  get sizes() {
    const [calls, keptCalls] = [this.#holders.size, this.#kept.size];
    return { calls, keptCalls, sharing: this.#waiting.size, ready: this.#ready.size };
  }

  /** Whether a job of this key would have somebody to follow. */
  isHeld(callKey: CallKey | undefined): boolean {
    return callKey !== undefined && this.#holders.has(callKey);
  }

  /** The jobs that wait although a worker holds their call; `isLive` says which workers are heard. */
  followable(isLive: (workerId: WorkerId) => boolean): readonly Followable[] {
    if (this.#ready.size === 0) return none;
    const found: Followable[] = [];
    for (const callKey of this.#ready) {
      const workerId = this.#holders.get(callKey)?.workerId;
      if (workerId === undefined || !isLive(workerId)) continue;
      for (const job of this.#waiting.get(callKey) ?? []) found.push({ job, workerId });
    }
    return found;
  }

  /** The job waits in line, wherever it was. */
  waits(job: TrackedJob): void {
    const { callKey } = job.header;
    if (callKey === undefined) return;
    this.#leaveHolder(callKey, job);
    if (job.ownCall) return;
    let waiting = this.#waiting.get(callKey);
    if (!waiting) {
      waiting = new Set();
      this.#waiting.set(callKey, waiting);
    }
    waiting.add(job);
    if (this.#holders.has(callKey)) this.#ready.add(callKey);
  }

  /** A worker has the job, or is about to. @param said by the worker itself */
  isAt(job: TrackedJob, workerId: WorkerId, said: boolean): void {
    const { callKey, jobId } = job.header;
    if (callKey === undefined) return;
    this.#leaveLine(callKey, job);
    let holder = this.#holders.get(callKey);
    // Of two calls of one key the first serves whoever comes; one that is sent out anew replaces it.
    if (said && holder && holder.workerId !== workerId && holder.jobs.size > 0) return;
    if (holder?.workerId !== workerId) holder = undefined;
    holder ??= { workerId, jobs: new Set(), confirmed: false };
    holder.jobs.add(jobId);
    holder.confirmed ||= said;
    this.#holders.set(callKey, holder);
    this.#kept.delete(callKey);
    if (this.#waiting.has(callKey)) this.#ready.add(callKey);
  }

  /** The job ended where it was: its answer may be had there for a while. */
  ended(job: TrackedJob, nowMs: number): void {
    const { callKey, jobId } = job.header;
    if (callKey === undefined) return;
    this.#leaveLine(callKey, job);
    const holder = this.#holders.get(callKey);
    if (!holder?.jobs.delete(jobId) || holder.jobs.size > 0) return;
    this.#kept.delete(callKey);
    this.#kept.set(callKey, nowMs + this.#limits.keptMs);
    if (this.#kept.size > this.#limits.maxKept) this.#forget(first(this.#kept));
  }

  /** Nobody knows where the job is, or it is no more. */
  left(job: TrackedJob): void {
    const { callKey } = job.header;
    if (callKey === undefined) return;
    this.#leaveLine(callKey, job);
    this.#leaveHolder(callKey, job);
  }

  /**
   * A worker would not have the job follow. Of a call that was there its part is over: it gets one of its
   * own. What was only believed to be there may still come.
   */
  refused(job: TrackedJob, workerId: WorkerId): void {
    const { callKey } = job.header;
    const holder = callKey === undefined ? undefined : this.#holders.get(callKey);
    if (holder?.workerId !== workerId) return;
    if (holder.confirmed) job.ownCall = true;
    this.#forget(callKey);
  }

  /** Forgets what no worker keeps any more. */
  expire(nowMs: number): void {
    for (const [callKey, untilMs] of this.#kept) {
      if (nowMs < untilMs) return;
      this.#forget(callKey);
    }
  }

  #forget(callKey: CallKey | undefined): void {
    if (callKey === undefined) return;
    this.#holders.delete(callKey);
    this.#kept.delete(callKey);
    this.#ready.delete(callKey);
  }

  #leaveLine(callKey: CallKey, job: TrackedJob): void {
    const waiting = this.#waiting.get(callKey);
    if (!waiting?.delete(job) || waiting.size > 0) return;
    this.#waiting.delete(callKey);
    this.#ready.delete(callKey);
  }

  #leaveHolder(callKey: CallKey, job: TrackedJob): void {
    const holder = this.#holders.get(callKey);
    if (holder?.jobs.delete(job.header.jobId) && holder.jobs.size === 0) this.#forget(callKey);
  }
}

const none: readonly Followable[] = [];

function first<Key>(map: ReadonlyMap<Key, unknown>): Key | undefined {
  for (const key of map.keys()) return key;
  return undefined;
}
