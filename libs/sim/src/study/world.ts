/**
 * What all designs of the study share: the workers with their true slots and speeds, the arrivals, and
 * the clock that measures. A design says only who starts which job where, and when.
 */
import type { QueuedJob } from '@starling/balance';
import { type Random, seededRandom } from '@starling/clock';
import { type JobId, jobId } from '@starling/contracts';
import { exponential, lognormal } from '../kernel/draws.ts';
import { Simulation } from '../kernel/simulation.ts';

/** A fleet of the study. */
export interface FleetShape {
  readonly workers: number;
  readonly slots: number;
  /** Slots of the workers in turn, where they differ. */
  readonly mixed?: readonly number[];
  readonly balancers: number;
  /** Mean and shape of the lognormal service time on a worker of full speed. */
  readonly serviceMs: { readonly mean: number; readonly sigma: number };
  /** Share of the workers that run at half speed. */
  readonly slowShare: number;
}

/** What arrives. */
export interface Workload {
  /** Share of what the fleet can serve that the quiet guilds ask for together. */
  readonly load: number;
  readonly guilds: number;
  /** How many times what the fleet serves one more guild asks for. */
  readonly loud?: number;
  /** Share of the jobs that only their home balancer sees, as those of an ingress; 0 by default. */
  readonly ephemeral?: number;
}

/** A job of the study with the measures taken of it. */
export interface StudyJob {
  readonly header: QueuedJob;
  readonly serviceMs: number;
  readonly loud: boolean;
  /** It stands in no store: only its home sees it, and nobody else can claim it. */
  readonly ephemeral: boolean;
}

/** One message hop through the bus, milliseconds. */
export const hopMs = 1;
/** A ledger or stream request and its answer, milliseconds. */
export const storeMs = 1;
/** Far beyond any wait here: the study measures waits, not refusals. */
const patienceMs = 3_600_000;
const meanTokens = 500;
const usersOfGuild = 150;

/** See the module's header. */
export class World {
  readonly simulation: Simulation;
  readonly shape: FleetShape;
  /** A stream of its own, so that every design gets the same arrivals and service times. */
  readonly #arrivalsRandom: Random;
  /** Waits of the quiet guilds' jobs that arrived while measuring, milliseconds. */
  readonly waits: number[] = [];
  readonly servedBy: number[];
  messages = 0;
  lostRaces = 0;
  /** Jobs that started where a worker was more than one job ahead of another, and by how many at most. */
  startedAhead = 0;
  mostAhead = 0;
  /** Run requests that found no free slot. */
  refusedFull = 0;
  /** Jobs of quiet guilds that were refused. */
  refusedQuiet = 0;
  started = 0;
  finished = 0;
  arrived = 0;
  measuring = false;
  /** Whether each started job's worker is compared with all others. */
  comparing = false;
  readonly #busy: number[];
  /** Measured jobs that wait, and since when. */
  readonly #measured = new Map<JobId, number>();
  #busyTotal = 0;
  #waiting = 0;
  #idleMs = 0;
  #slotMs = 0;
  #lastMs: number;
  readonly #slots: number;

  constructor(shape: FleetShape, seed: number) {
    this.simulation = new Simulation({ seed });
    this.#arrivalsRandom = seededRandom(seed + 1_000_003);
    this.shape = shape;
    this.#busy = Array.from({ length: shape.workers }, () => 0);
    this.servedBy = Array.from({ length: shape.workers }, () => 0);
    this.#lastMs = this.simulation.nowMs;
    this.#slots = this.#busy.reduce((sum, _, worker) => sum + this.slotsOf(worker), 0);
  }

  /** Jobs a millisecond that the fleet serves when every slot is busy. */
  get capacity(): number {
    const { workers, serviceMs } = this.shape;
    let speed = 0;
    for (let worker = 0; worker < workers; worker += 1) {
      speed += this.speedOf(worker) * this.slotsOf(worker);
    }
    return speed / serviceMs.mean;
  }

  slotsOf(worker: number): number {
    const { mixed, slots } = this.shape;
    return mixed?.[worker % mixed.length] ?? slots;
  }

  speedOf(worker: number): number {
    return worker < this.shape.workers * this.shape.slowShare ? 0.5 : 1;
  }

  /** Feeds a design with jobs for `durationMs`. */
  feed(workload: Workload, durationMs: number, submit: (job: StudyJob) => void): void {
    const endMs = this.simulation.nowMs + durationMs;
    const { ephemeral = 0, guilds, load, loud } = workload;
    const guild = () => `g${this.#arrivalsRandom.integer(guilds)}`;
    const quiet = () => this.#job(guild(), ephemeral);
    this.#arrivals(this.capacity * load, endMs, () => submit(quiet()));
    if (!loud) return;
    this.#arrivals(this.capacity * loud, endMs, () => submit(this.#job('loud', ephemeral)));
  }

  /** A job starts on a worker; `done` is called when it ends there. */
  run(job: StudyJob, worker: number, done: () => void): void {
    this.#account();
    this.#compare(worker);
    this.#waiting -= 1;
    this.#busyTotal += 1;
    this.#busy[worker] = this.busy(worker) + 1;
    this.started += 1;
    const waitedMs = this.simulation.nowMs - job.header.acceptedAtMs;
    if (this.#measured.delete(job.header.jobId)) this.waits.push(waitedMs);
    this.simulation.after(job.serviceMs / this.speedOf(worker), () => {
      this.#account();
      this.#busyTotal -= 1;
      this.#busy[worker] = this.busy(worker) - 1;
      this.servedBy[worker] = (this.servedBy[worker] ?? 0) + 1;
      this.finished += 1;
      done();
    });
  }

  /** How many jobs another worker could take before it is as busy as this one, which gets one more. */
  #compare(worker: number): void {
    if (!this.comparing) return;
    const load = this.busy(worker) / this.slotsOf(worker);
    let ahead = 0;
    for (let other = 0; other < this.shape.workers; other += 1) {
      ahead = Math.max(ahead, load * this.slotsOf(other) - this.busy(other));
    }
    // A quotient may be a hair above a whole number.
    if (ahead > 1 + 1e-9) this.startedAhead += 1;
    this.mostAhead = Math.max(this.mostAhead, ahead);
  }

  /** A job will never start: it was refused. */
  refuse(job: StudyJob): void {
    this.#account();
    this.#waiting -= 1;
    if (!job.loud) this.refusedQuiet += 1;
    this.#measured.delete(job.header.jobId);
  }

  /** Ends the measuring: who still waits has waited at least so long. */
  close(): void {
    for (const sinceMs of this.#measured.values()) this.waits.push(this.simulation.nowMs - sinceMs);
    this.#measured.clear();
  }

  busy(worker: number): number {
    return this.#busy[worker] ?? 0;
  }

  /** Measured jobs that have not started. */
  get measuredWaiting(): number {
    return this.#measured.size;
  }

  /** Share of the slots' time in which a slot stood idle while a job waited. */
  get idleWhileWaiting(): number {
    return this.#slotMs === 0 ? 0 : this.#idleMs / this.#slotMs;
  }

  #arrivals(perMs: number, endMs: number, arrive: () => void): void {
    const random = this.#arrivalsRandom;
    const next = () => {
      if (this.simulation.nowMs > endMs) return;
      arrive();
      this.simulation.after(exponential(random, 1 / perMs), next);
    };
    this.simulation.after(exponential(random, 1 / perMs), next);
  }

  #job(guildKey: string, ephemeralShare: number): StudyJob {
    this.#account();
    this.#waiting += 1;
    const { nowMs } = this.simulation;
    const random = this.#arrivalsRandom;
    // An id as the children make them, without the cost of parsing a million of them.
    const id = `j${this.arrived++}` as JobId;
    if (this.measuring && guildKey !== 'loud') this.#measured.set(id, nowMs);
    const serviceMs = lognormal(random, this.shape.serviceMs);
    const header: QueuedJob = {
      jobId: id,
      lane: 'interactive',
      guildKey,
      userKey: `u${random.integer(usersOfGuild)}`,
      tokenEstimate: meanTokens,
      acceptedAtMs: nowMs,
      deadlineAtMs: nowMs + patienceMs,
    };
    // No draw where none is needed: the other situations keep their arrivals.
    const ephemeral = ephemeralShare > 0 && random.next() < ephemeralShare;
    return { header, serviceMs, loud: guildKey === 'loud', ephemeral };
  }

  #account(): void {
    const { nowMs } = this.simulation;
    const passedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (!this.measuring) return;
    const slots = this.#slots;
    this.#slotMs += passedMs * slots;
    this.#idleMs += passedMs * Math.min(this.#waiting, slots - this.#busyTotal);
  }
}

/** The first id, checked once: the others have its form. */
jobId.parse('j0');
