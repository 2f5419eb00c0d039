/**
 * All waiting jobs, in one fair queue for each model that jobs ask for, over one ledger of service. A
 * job whose model nobody free can serve holds up only those that need the same.
 */
import type { JobId } from '@starling/contracts';
import { FairQueue, type Front, newServiceLedger, refusalAmong } from '../fair/fair-queue.ts';
import type { FairQueueLimits, QueuedJob, QueueRefusal } from '../fair/queued-job.ts';
import type { ServiceLedger } from '../fair/service-ledger.ts';

/** Beyond this many models at once the further ones share a queue, and may hold up each other. */
const maxClasses = 64;
const anyModel = '';
const otherModels = '*';

/** See the module's header. */
export class WaitingRoom {
  readonly #limits: FairQueueLimits;
  readonly #ledger: ServiceLedger;
  readonly #queues = new Map<string, FairQueue>();
  /** In which queue each job waits. */
  readonly #placeOf = new Map<JobId, string>();

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
    this.#ledger = newServiceLedger(limits);
  }

  get size(): number {
    return this.#placeOf.size;
  }

  get sizes() {
    return { waiting: this.size, models: this.#queues.size, flows: this.#ledger.size };
  }

  /**
   * The bound that stands against this job, over the queues of all models: to name many models makes
   * nobody's share larger. `undefined` when it may wait.
   */
  refusal(job: QueuedJob): QueueRefusal | undefined {
    return refusalAmong(this.#queues.values(), job, this.#limits);
  }

  /** Of the jobs that fill a bound against this one, one that starts first in its queue: its own before others. */
  firstWithin(bound: QueueRefusal, job: QueuedJob): JobId | undefined {
    const own = this.#queues.get(this.#classOf(job))?.firstWithin(bound, job);
    if (own !== undefined) return own;
    for (const queue of this.#queues.values()) {
      const first = queue.firstWithin(bound, job);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  add(job: QueuedJob, nowMs: number): void {
    if (this.#placeOf.has(job.jobId)) return;
    const place = this.#classOf(job);
    let queue = this.#queues.get(place);
    if (!queue) {
      queue = new FairQueue(this.#limits, this.#ledger);
      this.#queues.set(place, queue);
    }
    queue.add(job, nowMs);
    this.#placeOf.set(job.jobId, place);
  }

  /** Takes a job out; nobody is charged. */
  remove(jobId: JobId): void {
    this.#leave(jobId, (queue) => queue.remove(jobId));
  }

  /** A job starts: its guild and user are charged its estimate. @returns whether it waited here */
  take(job: QueuedJob): boolean {
    const waited = this.#leave(job.jobId, (queue) => queue.take(job.jobId));
    if (!waited) this.charge(job, job.tokenEstimate);
    else if (this.#queues.size > 1) this.#recharged(job);
    return waited;
  }

  /** Charges (or gives back) tokens; see {@link FairQueue.charge}. */
  charge(job: QueuedJob, tokens: number): void {
    this.#ledger.charge(job.guildKey, tokens);
    this.#ledger.charge(`${job.guildKey}/${job.userKey}`, tokens);
    this.#recharged(job);
  }

  /** The next job of those that `placeable` accepts by their model. */
  head(nowMs: number, placeable: (model: string | undefined) => boolean): QueuedJob | undefined {
    let best: Front | undefined;
    for (const queue of this.#queues.values()) {
      const front = queue.front(nowMs);
      if (!front || !placeable(front.job.model)) continue;
      if (!best || goesBefore(front, best)) best = front;
    }
    return best?.job;
  }

  /** How many jobs are likely to start before this one. */
  position(jobId: JobId): number | undefined {
    const place = this.#placeOf.get(jobId);
    return place === undefined ? undefined : this.#queues.get(place)?.position(jobId);
  }

  #recharged(job: QueuedJob): void {
    for (const queue of this.#queues.values()) queue.recharged(job);
  }

  #leave(jobId: JobId, how: (queue: FairQueue) => void): boolean {
    const place = this.#placeOf.get(jobId);
    const queue = place === undefined ? undefined : this.#queues.get(place);
    if (place === undefined || !queue) return false;
    this.#placeOf.delete(jobId);
    how(queue);
    // The ledger keeps what an empty queue knew.
    if (queue.size === 0 && place !== anyModel) this.#queues.delete(place);
    return true;
  }

  #classOf({ model = anyModel }: QueuedJob): string {
    return this.#queues.has(model) || this.#queues.size < maxClasses ? model : otherModels;
  }
}

function goesBefore(a: Front, b: Front): boolean {
  if (a.laneIndex !== b.laneIndex) return a.laneIndex < b.laneIndex;
  if (a.served !== b.served) return a.served < b.served;
  return a.job.acceptedAtMs < b.job.acceptedAtMs;
}
