import type { JobId, Lane } from '@starling/contracts';
import { BacklogView } from './backlog-view.ts';
import { LeastHeap } from './least-heap.ts';
import type { QueuedJob } from './queued-job.ts';
import type { ServiceLedger } from './service-ledger.ts';

interface GuildFlow {
  readonly users: LeastHeap<string>;
  /** Of each user the waiting jobs, oldest first. */
  readonly jobsOf: Map<string, LeastHeap<JobId>>;
  waiting: number;
}

/** Users of a guild, and guilds, whose turns are counted one by one to tell a job's place. */
const maxRankedUsers = 100;
const maxWalkedGuilds = 100;
/** With more guilds their backlogs are looked at together, this often, and no more of them in a second. */
const leastViewMs = 250;
const guildsViewedPerMs = 10;

/** The flow key of a user within a guild. */
export const userFlow = (job: Pick<QueuedJob, 'guildKey' | 'userKey'>) =>
  `${job.guildKey}/${job.userKey}`;

/** A guild's virtual time, by which its users are lifted; no user's flow has this key. */
const userMark = (guildKey: string) => `${guildKey}#`;

/** One lane: the least served guild first, in it the least served user, of that one the oldest job. */
export class LaneQueue {
  readonly #ledger: ServiceLedger;
  /** The lane's virtual time: where the least served stood when a job left last. */
  readonly #mark: string;
  readonly #guilds = new LeastHeap<string>();
  readonly #flows = new Map<string, GuildFlow>();
  /** Since when each guild has waited here without being served. */
  readonly #unserved = new LeastHeap<string>();
  #size = 0;
  #view: BacklogView | undefined;
  #viewedAtMs = 0;

  constructor(lane: Lane, ledger: ServiceLedger) {
    this.#ledger = ledger;
    this.#mark = `#${lane}`;
  }

  get size(): number {
    return this.#size;
  }

  waitingOf(guildKey: string): number {
    return this.#flows.get(guildKey)?.waiting ?? 0;
  }

  waitingOfUser(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): number {
    return this.#flows.get(job.guildKey)?.jobsOf.get(userFlow(job))?.size ?? 0;
  }

  /**
   * How many jobs of this lane are likely to start before this one, when each guild has its turn, and
   * in it each user: an estimate, since turns go by tokens, not by jobs.
   */
  ahead(job: QueuedJob, nowMs: number): number {
    const own = this.#flows.get(job.guildKey);
    if (!own) return 0;
    const rank = rankOf(job, own);
    if (this.#flows.size > maxWalkedGuilds) {
      const guild = { key: job.guildKey, waiting: own.waiting };
      return rank + this.#viewAt(nowMs).ahead(guild, rank);
    }
    let ahead = rank;
    for (const [guild, { waiting }] of this.#flows) {
      if (guild === job.guildKey) continue;
      const goesFirst = waiting > rank && this.#guilds.precedes(guild, job.guildKey);
      ahead += Math.min(waiting, goesFirst ? rank + 1 : rank);
    }
    return ahead;
  }

  /** The backlogs as they are, or were a moment ago: a longer one with more guilds, which costs more. */
  #viewAt(nowMs: number): BacklogView {
    const validMs = Math.max(leastViewMs, this.#flows.size / guildsViewedPerMs);
    if (!this.#view || nowMs - this.#viewedAtMs >= validMs) {
      const guilds = this.#guilds.sorted().map((guild) => [guild, this.waitingOf(guild)] as const);
      this.#view = new BacklogView(guilds);
      this.#viewedAtMs = nowMs;
    }
    return this.#view;
  }

  add(job: QueuedJob, nowMs: number): void {
    const flow = this.#flowOf(job.guildKey, nowMs);
    const user = userFlow(job);
    let jobs = flow.jobsOf.get(user);
    if (!jobs) {
      jobs = new LeastHeap();
      flow.jobsOf.set(user, jobs);
      flow.users.set(user, this.#ledger.lift(user, this.#ledger.of(userMark(job.guildKey))));
    }
    if (jobs.valueOf(job.jobId) !== undefined) return;
    jobs.set(job.jobId, job.acceptedAtMs);
    flow.waiting += 1;
    this.#size += 1;
  }

  delete(job: QueuedJob): void {
    const flow = this.#flows.get(job.guildKey);
    const user = userFlow(job);
    const jobs = flow?.jobsOf.get(user);
    if (!flow || jobs?.valueOf(job.jobId) === undefined) return;
    this.#ledger.raise(this.#mark, this.leastServed ?? 0);
    this.#ledger.raise(userMark(job.guildKey), leastValue(flow.users) ?? 0);
    this.#size -= 1;
    jobs.delete(job.jobId);
    flow.waiting -= 1;
    if (jobs.size === 0) {
      flow.jobsOf.delete(user);
      flow.users.delete(user);
    }
    if (flow.waiting === 0) {
      this.#flows.delete(job.guildKey);
      this.#guilds.delete(job.guildKey);
      this.#unserved.delete(job.guildKey);
    }
  }

  /** What the guild of the next job was served; `undefined` when nothing waits. */
  get leastServed(): number | undefined {
    return leastValue(this.#guilds);
  }

  /** The job that fairness serves next. */
  head(): JobId | undefined {
    const guild = this.#guilds.least();
    return guild === undefined ? undefined : this.firstOf(guild);
  }

  /** The user's job that waits longest. */
  firstOfUser(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): JobId | undefined {
    return this.#flows.get(job.guildKey)?.jobsOf.get(userFlow(job))?.least();
  }

  /** The guild's job that is served next. */
  firstOf(guild: string): JobId | undefined {
    const flow = this.#flows.get(guild);
    const user = flow?.users.least();
    return user === undefined ? undefined : flow?.jobsOf.get(user)?.least();
  }

  /** One of the guild's jobs started, in whatever lane it waited. */
  served(guildKey: string, nowMs: number): void {
    if (this.#flows.has(guildKey)) this.#unserved.set(guildKey, nowMs);
  }

  /** The next job of a guild that has waited since `sinceMs` or before and was not served; its turn ends. */
  takeStarved(sinceMs: number, nowMs: number): JobId | undefined {
    const guild = this.#unserved.least();
    if (guild === undefined || (this.#unserved.valueOf(guild) ?? 0) > sinceMs) return undefined;
    this.#unserved.set(guild, nowMs);
    return this.firstOf(guild);
  }

  /** A flow was charged elsewhere: its place in the order follows. */
  recharged(job: Pick<QueuedJob, 'guildKey' | 'userKey'>): void {
    const flow = this.#flows.get(job.guildKey);
    if (!flow) return;
    this.#guilds.set(job.guildKey, this.#ledger.of(job.guildKey));
    const user = userFlow(job);
    if (flow.users.valueOf(user) !== undefined) flow.users.set(user, this.#ledger.of(user));
  }

  #flowOf(guildKey: string, nowMs: number): GuildFlow {
    const known = this.#flows.get(guildKey);
    if (known) return known;
    const flow = { users: new LeastHeap<string>(), jobsOf: new Map(), waiting: 0 };
    this.#guilds.set(guildKey, this.#ledger.lift(guildKey, this.#ledger.of(this.#mark)));
    this.#flows.set(guildKey, flow);
    this.#unserved.set(guildKey, nowMs);
    return flow;
  }
}

/** How many jobs of its own guild start before this one. */
function rankOf(job: QueuedJob, { jobsOf, users, waiting }: GuildFlow): number {
  const own = userFlow(job);
  const rank = jobsOf.get(own)?.countBefore(job.jobId) ?? 0;
  if (jobsOf.size > maxRankedUsers) {
    // In a crowd each user has about as many.
    return Math.min(waiting - 1, rank * jobsOf.size + users.countBefore(own));
  }
  let ahead = rank;
  for (const [user, { size }] of jobsOf) {
    if (user === own) continue;
    ahead += Math.min(size, users.precedes(user, own) ? rank + 1 : rank);
  }
  return ahead;
}

function leastValue<Key>(heap: LeastHeap<Key>): number | undefined {
  const least = heap.least();
  return least === undefined ? undefined : heap.valueOf(least);
}
