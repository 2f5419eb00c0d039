/**
 * Judges a run by what happened, knowing nothing of the product's rules: what was sent, started, ended
 * and shown, against what every promise allows. It keeps its own books.
 */
import type { CoreEffect, LedgerEntry, LedgerWrite } from '@starling/balance';
import type { BalancerId, JobId, LoadReport, WorkerId } from '@starling/contracts';
import type { Simulation } from '../kernel/simulation.ts';
import type { Bus } from './bus.ts';
import { CreditBook } from './credit-book.ts';
import type { AskedMessage } from './discord.ts';
import { type MappedProcess, MapWatch } from './map-watch.ts';
import { Outages } from './outages.ts';
import type { SimBalancer } from './sim-balancer.ts';
import type { SimChild } from './sim-child.ts';
import type { SimWorker } from './sim-worker.ts';
import type { StoreWitness } from './store.ts';
import type { Tally } from './tally.ts';

/** A promise that was broken. */
export interface Violation {
  readonly promise:
    | 'a slot is held once'
    | 'an attempt starts once'
    | 'a grant is spent once'
    | 'a job ends once'
    | 'an answer is shown once'
    | 'an answer belongs to its question'
    | 'a live claim is not replaced'
    | 'every accepted job ends'
    | 'a job ends by its deadline and 15 s'
    | 'occupancy equals truth'
    | 'a quiet guild does not wait for a loud one'
    | 'calls under way are bounded'
    | 'nothing stays stored'
    | 'who drains takes nothing new'
    | 'maps are bounded';
  readonly atMs: number;
  readonly detail: string;
}

interface Claim {
  readonly workerId: WorkerId;
  readonly attempt: number;
  /** Of its worker: what it claimed in an earlier one, it does not run. */
  readonly life: number | undefined;
  readonly sinceMs: number;
}

/** A worker that could be heard for so long must not be taken for silent. */
const heardMs = 3_000;
/** A balancer that could hear for so long has no excuse. */
const listeningMs = 6_000;
/** From a job's deadline until its answer, or an honest failure, stands there. */
const endsWithinMs = 15_000;
/** Calls of the store by one balancer: of one job, and of all. */
const maxCalls = { ofJob: 2, inAll: 100 } as const;
/** Violations kept; the first tells the story. */
const maxKept = 20;

/** See the module's header. */
export class Checker implements StoreWitness {
  readonly violations: Violation[] = [];
  readonly #simulation: Simulation;
  readonly #started = new Set<string>();
  readonly #ends = new Map<JobId, number>();
  readonly #shown = new Map<JobId, number>();
  readonly #refused = new Set<JobId>();
  readonly #deadlines = new Map<JobId, number>();
  /** Jobs that held a slot of a worker without a stream when that was looked at last. */
  #idle: ReadonlySet<string> = new Set();
  readonly #claims = new Map<JobId, Claim>();
  readonly #credits: CreditBook;
  readonly #maps = new MapWatch();
  #workers: readonly SimWorker[] = [];
  #balancers: readonly SimBalancer[] = [];
  readonly #outages = new Outages();
  #child: SimChild | undefined;
  #bus: Bus | undefined;

  constructor(simulation: Simulation, tally: Tally) {
    this.#simulation = simulation;
    this.#credits = new CreditBook(simulation, tally);
  }

  /** Whom it watches. */
  watch(parts: {
    readonly workers: readonly SimWorker[];
    readonly balancers: readonly SimBalancer[];
    readonly child: SimChild;
    readonly bus: Bus;
  }): void {
    this.#workers = parts.workers;
    this.#balancers = parts.balancers;
    this.#child = parts.child;
    this.#bus = parts.bus;
    this.#maps.watch(parts);
  }

  violated(promise: Violation['promise'], detail: string): void {
    if (this.violations.length >= maxKept) return;
    const atMs = this.#simulation.nowMs - this.#simulation.startMs;
    this.violations.push({ promise, atMs, detail });
  }

  /** To be called after each event of the simulation. */
  afterEvent(): void {
    for (const { id, slots, streams } of this.#workers) {
      if (streams > slots) {
        this.violated('a slot is held once', `${id} has ${streams} streams on ${slots} slots`);
      }
    }
    if (this.#child && this.#bus) {
      this.#outages.look(this.#child, this.#bus, this.#simulation.nowMs);
    }
    this.#judgeTouched();
  }

  /** A process took something in: its maps are judged when the event is over. */
  touched(process: MappedProcess): void {
    this.#maps.touched(process);
  }

  /** All is quiet, `stored` jobs are left: looks at every map. */
  judgeMaps(stored: number): void {
    for (const process of [...this.#balancers, ...this.#workers]) this.#maps.touched(process);
    this.#judgeTouched(stored);
  }

  #judgeTouched(stored?: number): void {
    for (const swollen of this.#maps.swollen(this.#deadlines.size, stored)) {
      this.violated('maps are bounded', swollen);
    }
  }

  ledgerWritten(jobId: JobId, { record }: LedgerWrite, _before: LedgerEntry | undefined): void {
    if (record.kind === 'run') {
      const { attempt, workerId } = record;
      const life = this.#workers.find(({ id }) => id === workerId)?.node.life;
      this.#claims.set(jobId, { workerId, attempt, life, sinceMs: this.#simulation.nowMs });
    }
    if (record.kind !== 'end') return;
    this.#claims.delete(jobId);
    this.#judgeLateness(jobId, 'ended');
    const ends = (this.#ends.get(jobId) ?? 0) + 1;
    this.#ends.set(jobId, ends);
    if (ends > 1) this.violated('a job ends once', `${jobId} ended ${ends} times`);
  }

  /** A worker opens the provider's stream. */
  started(worker: SimWorker, jobId: JobId, attempt: number): void {
    const key = `${jobId} ${attempt}`;
    if (this.#started.has(key)) {
      this.violated('an attempt starts once', `${jobId} attempt ${attempt} also on ${worker.id}`);
    }
    this.#started.add(key);
  }

  /** A job reads what the provider was asked by `asker`. */
  read(reader: AskedMessage, asker: AskedMessage): void {
    const isSame =
      reader.question === asker.question && reader.header.guildKey === asker.header.guildKey;
    if (isSame) return;
    const detail = `${reader.header.jobId} is answered what ${asker.header.jobId} asked`;
    this.violated('an answer belongs to its question', detail);
  }

  /** A balancer asks the store about a job; so many calls of its are then under way. */
  calling(
    who: string,
    calls: { readonly jobId: JobId; readonly ofJob: number; readonly inAll: number },
  ): void {
    const { inAll, jobId, ofJob } = calls;
    if (ofJob <= maxCalls.ofJob && inAll <= maxCalls.inAll) return;
    const detail = `${who} has ${ofJob} calls for ${jobId} under way, ${inAll} in all`;
    this.violated('calls under way are bounded', detail);
  }

  /** Somebody asks, and is to be answered by then. */
  asked(jobId: JobId, deadlineMs: number): void {
    this.#deadlines.set(jobId, deadlineMs);
  }

  /** There was no room for it: its answer is a refusal, and stands in no ledger. */
  refused(jobId: JobId): void {
    this.#refused.add(jobId);
  }

  /** Discord shows one more answer. */
  shown(jobId: JobId): void {
    const times = (this.#shown.get(jobId) ?? 0) + 1;
    this.#shown.set(jobId, times);
    if (times > 1) this.violated('an answer is shown once', `${jobId} shown ${times} times`);
    if (times === 1) this.#judgeLateness(jobId, 'answered');
    if (!this.#ends.has(jobId) && !this.#refused.has(jobId))
      this.violated('a job ends once', `${jobId} shown before its end`);
  }

  /** An end stands in time, whoever is away; it is shown in the time that its child is there for it. */
  #judgeLateness(jobId: JobId, what: 'ended' | 'answered'): void {
    const { nowMs } = this.#simulation;
    const deadlineMs = this.#deadlines.get(jobId) ?? 0;
    const lateMs = nowMs - deadlineMs;
    if (lateMs <= endsWithinMs) return;
    const excusedMs = what === 'answered' ? this.#outages.within(deadlineMs, nowMs) : 0;
    if (lateMs - excusedMs <= endsWithinMs) return;
    const detail = `${jobId} is ${what} ${Math.round(lateMs)} ms after its deadline`;
    this.violated('a job ends by its deadline and 15 s', detail);
  }

  /** A balancer takes a worker's report in. */
  reported(balancerId: BalancerId, report: LoadReport): void {
    this.#credits.reported(balancerId, report);
  }

  /** A balancer dispatches a job. One that shares a call opens no stream, and so needs no credit. */
  sent(balancer: SimBalancer, run: Extract<CoreEffect, { kind: 'run' }>): void {
    const wrong = run.follows ? undefined : this.#credits.spend(balancer.id, run.workerId);
    if (wrong) this.violated('a grant is spent once', wrong);
    if (run.attempt > 1) this.#judgeReplacement(balancer, run);
  }

  #judgeReplacement(balancer: SimBalancer, run: Extract<CoreEffect, { kind: 'run' }>): void {
    const claim = this.#claims.get(run.jobId);
    const holder = this.#workers.find(({ id }) => id === claim?.workerId);
    if (!claim || !holder || !this.#bus?.isUp(balancer.node)) return;
    const { following, running } = holder.core;
    // Its holder may have died since, or never have learned that it won: then it runs nothing.
    const isStarted = this.#started.has(`${run.jobId} ${claim.attempt}`);
    if (holder.node.life !== claim.life || !isStarted) return;
    if (!running.includes(run.jobId) && !following.includes(run.jobId)) return;
    const claimedMs = this.#simulation.nowMs - claim.sinceMs;
    const audibleMs = Math.min(
      holder.node.healthyMs,
      this.#bus.reachableMs(holder.node),
      claimedMs,
    );
    if (audibleMs < heardMs || balancer.listeningMs < listeningMs) return;
    const detail = `${balancer.id} replaces the claim of ${holder.id} on ${run.jobId}, which it could hear`;
    this.violated('a live claim is not replaced', detail);
  }

  /** Forgets a balancer's credits with its life: a new one starts with none. */
  restarted(balancerId: BalancerId): void {
    this.#credits.forget(balancerId);
  }

  /** Whether its first attempt ever ran. */
  isStarted(jobId: JobId): boolean {
    return this.#started.has(`${jobId} 1`);
  }

  /**
   * Nothing goes wrong any more: a slot is taken by a stream, but for the moment before it opens and the
   * moment until its end is written. To be called every two seconds.
   */
  judgeSlots(): void {
    const idle = new Set<string>();
    for (const { core, id, isReading } of this.#workers) {
      for (const jobId of core.running) if (!isReading(jobId)) idle.add(`${jobId} on ${id}`);
    }
    for (const held of idle) {
      if (!this.#idle.has(held)) continue;
      this.violated('occupancy equals truth', `${held} holds a slot and no stream`);
    }
    this.#idle = idle;
  }

  /** The run is over and 5 s have been quiet: what everybody believes must be what is. */
  judgeQuiet(): void {
    for (const { id, core, streams, slots } of this.#workers) {
      if (core.running.length !== streams) {
        const detail = `${id} counts ${core.running.length} slots as taken, ${streams} are`;
        this.violated('occupancy equals truth', detail);
      }
      let dealt = 0;
      for (const balancer of this.#balancers) {
        dealt += this.#credits.granted(balancer.id, id);
      }
      if (dealt !== slots - streams) {
        const detail = `${id} has ${slots - streams} free slots, the balancers hold ${dealt}`;
        this.violated('occupancy equals truth', detail);
      }
    }
    const free = this.#balancers.reduce(
      (sum, { core, node }) => sum + core.freeSlots(node.nowMs),
      0,
    );
    const slots = this.#workers.reduce((sum, worker) => sum + worker.slots, 0);
    if (free !== slots) {
      this.violated('occupancy equals truth', `balancers count ${free} free slots, ${slots} are`);
    }
  }
}
