import type { JobId, Lane } from '@starling/contracts';
import { LeastHeap } from './least-heap.ts';
import type { QueuedJob } from './queued-job.ts';
import type { ServiceLedger } from './service-ledger.ts';

interface GuildFlow {
  readonly users: LeastHeap<string>;
  /** Of each user the waiting jobs, oldest first. */
  readonly jobsOf: Map<string, LeastHeap<JobId>>;
  waiting: number;
}

/** The flow key of a user within a guild. */
export const userFlow = (job: Pick<QueuedJob, 'guildKey' | 'userKey'>) =>
  `${job.guildKey}/${job.userKey}`;

/** Where the last user of a guild stood that waited; no user's flow has this key. */
const userMark = (guildKey: string) => `${guildKey}#`;

/** One lane: the least served guild first, in it the least served user, of that one the oldest job. */
export class LaneQueue {
  readonly #ledger: ServiceLedger;
  /** Where the last guild stood that waited in this lane. */
  readonly #mark: string;
  readonly #guilds = new LeastHeap<string>();
  readonly #flows = new Map<string, GuildFlow>();
  /** When each job entered this lane. */
  readonly #entered = new LeastHeap<JobId>();

  constructor(lane: Lane, ledger: ServiceLedger) {
    this.#ledger = ledger;
    this.#mark = `#${lane}`;
  }

  get size(): number {
    return this.#entered.size;
  }

  waitingOf(guildKey: string): number {
    return this.#flows.get(guildKey)?.waiting ?? 0;
  }

  waitingOfUser(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): number {
    return this.#flows.get(job.guildKey)?.jobsOf.get(userFlow(job))?.size ?? 0;
  }

  /** Sizes of the guilds' backlogs here. */
  *backlogs(): Generator<number> {
    for (const { waiting } of this.#flows.values()) yield waiting;
  }

  add(job: QueuedJob, nowMs: number): void {
    const flow = this.#flowOf(job.guildKey);
    const user = userFlow(job);
    let jobs = flow.jobsOf.get(user);
    if (!jobs) {
      jobs = new LeastHeap();
      flow.jobsOf.set(user, jobs);
      const least = leastValue(flow.users) ?? this.#ledger.of(userMark(job.guildKey));
      flow.users.set(user, this.#ledger.lift(user, least));
    }
    if (jobs.valueOf(job.jobId) !== undefined) return;
    jobs.set(job.jobId, job.acceptedAtMs);
    flow.waiting += 1;
    this.#entered.set(job.jobId, nowMs);
  }

  delete(job: QueuedJob): void {
    const flow = this.#flows.get(job.guildKey);
    const user = userFlow(job);
    const jobs = flow?.jobsOf.get(user);
    if (!flow || !jobs || this.#entered.valueOf(job.jobId) === undefined) return;
    this.#entered.delete(job.jobId);
    jobs.delete(job.jobId);
    flow.waiting -= 1;
    if (jobs.size === 0) {
      flow.jobsOf.delete(user);
      flow.users.delete(user);
    }
    if (flow.waiting === 0) {
      this.#flows.delete(job.guildKey);
      this.#guilds.delete(job.guildKey);
      this.#ledger.raise(userMark(job.guildKey), this.#ledger.of(user));
      if (this.#guilds.size === 0) this.#ledger.raise(this.#mark, this.#ledger.of(job.guildKey));
    }
  }

  /** What the guild of the next job was served; `undefined` when nothing waits. */
  get leastServed(): number | undefined {
    return leastValue(this.#guilds);
  }

  /** The job that fairness serves next. */
  head(): JobId | undefined {
    const guild = this.#guilds.least();
    const flow = guild === undefined ? undefined : this.#flows.get(guild);
    const user = flow?.users.least();
    return user === undefined ? undefined : flow?.jobsOf.get(user)?.least();
  }

  /** The job that has been in this lane for the longest, and since when. */
  oldest(): { readonly jobId: JobId; readonly sinceMs: number } | undefined {
    const jobId = this.#entered.least();
    return jobId && { jobId, sinceMs: this.#entered.valueOf(jobId) ?? 0 };
  }

  /** A flow was charged elsewhere: its place in the order follows. */
  recharged(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): void {
    const flow = this.#flows.get(job.guildKey);
    if (!flow) return;
    this.#guilds.set(job.guildKey, this.#ledger.of(job.guildKey));
    const user = userFlow(job);
    if (flow.users.valueOf(user) !== undefined) flow.users.set(user, this.#ledger.of(user));
  }

  #flowOf(guildKey: string): GuildFlow {
    const known = this.#flows.get(guildKey);
    if (known) return known;
    const flow = { users: new LeastHeap<string>(), jobsOf: new Map(), waiting: 0 };
    const least = leastValue(this.#guilds) ?? this.#ledger.of(this.#mark);
    this.#guilds.set(guildKey, this.#ledger.lift(guildKey, least));
    this.#flows.set(guildKey, flow);
    return flow;
  }
}

function leastValue<Key>(heap: LeastHeap<Key>): number | undefined {
  const least = heap.least();
  return least === undefined ? undefined : heap.valueOf(least);
}
