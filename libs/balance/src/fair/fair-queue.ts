import type { JobId, Lane } from '@starling/contracts';
import { LaneQueue, userFlow } from './lane-queue.ts';
import {
  defaultFairQueueLimits,
  everyUser,
  type FairQueueLimits,
  lanesInOrder,
  type QueuedJob,
  type QueueRefusal,
} from './queued-job.ts';
import { ServiceLedger } from './service-ledger.ts';

interface Waiting {
  readonly job: QueuedJob;
  /** The lane it waits in now; ageing moves it up. */
  lane: Lane;
}

/** The next job of a queue. Of two queues the lower lane index goes first, then the less served. */
export interface Front {
  readonly job: QueuedJob;
  readonly laneIndex: number;
  /** What the job's guild was served, in LLM tokens. */
  readonly served: number;
}

/** A ledger within the bounds of a queue. */
export function newServiceLedger(limits: FairQueueLimits): ServiceLedger {
  return new ServiceLedger({ maxFlows: limits.flows, maxDebt: limits.maxDebtTokens });
}

/**
 * All waiting jobs in the order of fairness: lanes first (of a starved guild a job moves up), in a lane
 * the guild that was served least in LLM tokens, in it the user that was. It holds every waiting job,
 * not a window: a window in front of a FIFO is not fair, since a loud guild's backlog stands in the
 * FIFO before everyone. Time is an argument; nothing here blocks, and everything is O(log n).
 */
export class FairQueue {
  readonly #limits: FairQueueLimits;
  readonly #ledger: ServiceLedger;
  readonly #lanes: ReadonlyMap<Lane, LaneQueue>;
  readonly #waiting = new Map<JobId, Waiting>();
  /** The latest time that was told. */
  #nowMs = 0;

  /** @param ledger shared by queues that are served by one fleet */
  constructor(
    limits: FairQueueLimits = defaultFairQueueLimits,
    ledger: ServiceLedger = newServiceLedger(limits),
  ) {
    this.#limits = limits;
    this.#ledger = ledger;
    this.#lanes = new Map(lanesInOrder.map((lane) => [lane, new LaneQueue(lane, ledger)]));
  }

  get size(): number {
    return this.#waiting.size;
  }

  get(jobId: JobId): QueuedJob | undefined {
    return this.#waiting.get(jobId)?.job;
  }

  /** Whether a bound stands against this job; `undefined` when it may be queued. */
  refusal(job: QueuedJob): QueueRefusal | undefined {
    return refusalAmong([this], job, this.#limits);
  }

  /** Jobs that wait here of this one's user, of its guild, and in its lane. */
  beside(job: QueuedJob): { readonly user: number; readonly guild: number; readonly lane: number } {
    let user = 0;
    let guild = 0;
    for (const lane of this.#lanes.values()) {
      user += lane.waitingOfUser(job);
      guild += lane.waitingOf(job.guildKey);
    }
    return { user, guild, lane: this.#lane(job.lane).size };
  }

  /** Of the jobs that fill a bound against this one, the one that starts first. */
  firstWithin(bound: QueueRefusal, job: QueuedJob): JobId | undefined {
    if (bound === 'lane_bound') return this.#lane(job.lane).head();
    for (const lane of this.#lanes.values()) {
      const first = bound === 'user_bound' ? lane.firstOfUser(job) : lane.firstOf(job.guildKey);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** Queues a job; one that waits already stays where it is. Bounds are the caller's to ask ({@link refusal}). */
  add(job: QueuedJob, nowMs: number): void {
    if (this.#waiting.has(job.jobId)) return;
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#waiting.set(job.jobId, { job, lane: job.lane });
    this.#lane(job.lane).add(job, nowMs);
  }

  /** Takes a job out without charging anyone: it ended, was cancelled, or somebody else has it. */
  remove(jobId: JobId): QueuedJob | undefined {
    const waiting = this.#waiting.get(jobId);
    if (!waiting) return undefined;
    this.#waiting.delete(jobId);
    this.#lane(waiting.lane).delete(waiting.job);
    return waiting.job;
  }

  /** The job that is served next, left in its place. */
  head(nowMs: number): QueuedJob | undefined {
    return this.front(nowMs)?.job;
  }

  /** The job that is served next, with what decides between the heads of several queues. */
  front(nowMs: number): Front | undefined {
    this.#age(nowMs);
    let laneIndex = 0;
    for (const lane of this.#lanes.values()) {
      const jobId = lane.head();
      const job = jobId === undefined ? undefined : this.get(jobId);
      if (job) return { job, laneIndex, served: lane.leastServed ?? 0 };
      laneIndex += 1;
    }
    return undefined;
  }

  /** A job starts: it leaves the queue, and its guild and user are charged its estimate. */
  take(jobId: JobId): QueuedJob | undefined {
    const job = this.remove(jobId);
    if (!job) return undefined;
    for (const lane of this.#lanes.values()) lane.served(job.guildKey, this.#nowMs);
    this.charge(job, job.tokenEstimate);
    return job;
  }

  /**
   * Charges tokens to a job's guild and user: an estimate when another balancer took it, the
   * difference (negative where the estimate was too high) when it ended.
   */
  charge(job: Pick<QueuedJob, 'guildKey' | 'userKey'>, tokens: number): void {
    this.#ledger.charge(job.guildKey, tokens);
    this.#ledger.charge(userFlow(job), tokens);
    this.recharged(job);
  }

  /** The shared ledger was charged through another queue: the order here follows. */
  recharged(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): void {
    for (const lane of this.#lanes.values()) lane.recharged(job);
  }

  /**
   * How many jobs are likely to start before this one: those of higher lanes, and of its own those
   * whose turn comes before. An estimate: shares are in tokens, not in jobs.
   */
  position(jobId: JobId): number | undefined {
    const waiting = this.#waiting.get(jobId);
    if (!waiting) return undefined;
    let ahead = 0;
    for (const [name, lane] of this.#lanes) {
      if (name === waiting.lane) break;
      ahead += lane.size;
    }
    return ahead + this.#lane(waiting.lane).ahead(waiting.job, this.#nowMs);
  }

  /** Waiting jobs by lane. */
  sizes(): ReadonlyMap<Lane, number> {
    return new Map([...this.#lanes].map(([name, lane]) => [name, lane.size]));
  }

  #lane(name: Lane): LaneQueue {
    const lane = this.#lanes.get(name);
    if (!lane) throw new RangeError(`no lane ${name}`);
    return lane;
  }

  /**
   * Moves a job up of each guild that the lanes above starved. Of a guild, not each old job: under a
   * flood every job of the loud one is old, and would stand before everybody in the lane above.
   */
  #age(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const [index, name] of lanesInOrder.entries()) {
      const above = lanesInOrder[index - 1];
      const agingMs = this.#limits.agingMs[name];
      if (above === undefined || agingMs === undefined) continue;
      const lane = this.#lane(name);
      const sinceMs = nowMs - agingMs;
      for (
        let next = lane.takeStarved(sinceMs, nowMs);
        next !== undefined;
        next = lane.takeStarved(sinceMs, nowMs)
      ) {
        const waiting = this.#waiting.get(next);
        if (!waiting) continue;
        lane.delete(waiting.job);
        waiting.lane = above;
        this.#lane(above).add(waiting.job, nowMs);
      }
    }
  }
}

/** The bound that stands against a job over several queues together; `undefined` when it may be queued. */
export function refusalAmong(
  queues: Iterable<FairQueue>,
  job: QueuedJob,
  { perGuild, perLane, perUser }: FairQueueLimits,
): QueueRefusal | undefined {
  const sum = { user: 0, guild: 0, lane: 0 };
  for (const queue of queues) {
    const { guild, lane, user } = queue.beside(job);
    sum.user += user;
    sum.guild += guild;
    sum.lane += lane;
  }
  if (sum.user >= perUser && job.userKey !== everyUser) return 'user_bound';
  if (sum.guild >= perGuild) return 'guild_bound';
  return sum.lane >= perLane ? 'lane_bound' : undefined;
}
