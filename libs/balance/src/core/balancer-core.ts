/**
 * A balancer as a state machine: events in, effects out, no I/O and no clock. Every balancer sees the
 * headers of all stored jobs; whoever holds a worker's grant takes the fair head of the queue, and the
 * claim in the ledger decides who won. What a balancer believes may be wrong; the worst that a wrong
 * belief costs is one hop, because nothing is done on it that the claim does not confirm.
 *
 * The same code runs in the balancer process and in the simulation.
 */
import type { Random } from '@starling/clock';
import type { BalancerId, JobId, LoadReport, QueuePlace, WorkerId } from '@starling/contracts';
import { chooseWorker } from '../choice/choose-worker.ts';
import { explainFollowing } from '../choice/explanation.ts';
import { leastConnections } from '../choice/strategies.ts';
import type { Strategy } from '../choice/strategy.ts';
import type { WorkerLoad } from '../fleet-view.ts';
import { ConversationBook } from './conversation-book.ts';
import { CoreCounts } from './core-counts.ts';
import type { CoreEffect, CoreEvent } from './core-events.ts';
import { type CoreLimits, defaultCoreLimits } from './core-limits.ts';
import { GrantView } from './grant-view.ts';
import type { JobState, TrackedJob } from './job-state.ts';
import { JobTracker } from './job-tracker.ts';
import { PeerBook } from './peer-book.ts';
import type { SpendableSlots } from './spendable-slots.ts';

type RunEffect = Extract<CoreEffect, { kind: 'run' }>;

/** What a {@link BalancerCore} is made of. */
export interface BalancerCoreParts {
  readonly self: BalancerId;
  readonly random: Random;
  readonly limits?: CoreLimits;
  readonly strategy?: Strategy;
}

/** See the module's header. */
export class BalancerCore {
  readonly counts = new CoreCounts();
  readonly #parts: BalancerCoreParts;
  readonly #limits: CoreLimits;
  readonly #peers: PeerBook;
  readonly #grants: GrantView;
  readonly #tracker: JobTracker;
  readonly #conversations: ConversationBook;
  #lastTickMs: number | undefined;
  /** The earliest wake that was asked for and has not come. */
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: BalancerCoreParts) {
    const limits = parts.limits ?? defaultCoreLimits;
    this.#parts = parts;
    this.#limits = limits;
    this.#peers = new PeerBook(limits.peerDeadMs);
    const shared = { self: parts.self, peers: this.#peers, counts: this.counts };
    const { lieMs, reportValidMs: validMs } = limits;
    const grants = new GrantView({ ...shared, validMs, lieMs });
    this.#grants = grants;
    this.#tracker = new JobTracker({ ...shared, limits, grants });
    this.#conversations = new ConversationBook(limits.conversations);
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#tracker.waiting;
  }

  /** How fast the line moves. */
  pace(nowMs: number) {
    return this.#tracker.pace(nowMs);
  }

  /** Jobs known, waiting or not. */
  get tracked(): number {
    return this.#tracker.size;
  }

  /** What each of its maps holds: none may grow for ever. */
  get sizes() {
    const [peers, conversations] = [this.#peers.ids.length, this.#conversations.size];
    return { ...this.#tracker.sizes, ...this.#grants.sizes, peers, conversations };
  }

  /** Workers' slots that are ours to fill now. */
  freeSlots(nowMs: number): number {
    return this.#grants.free(nowMs);
  }

  stateOf(jobId: JobId): JobState | undefined {
    return this.#tracker.get(jobId)?.state;
  }

  /** Of the balancers that are heard, the one that acts on this job first. */
  isHome(jobId: JobId): boolean {
    return this.#peers.rankOf(jobId, this.#parts.self) === 0;
  }

  /** A waiting job's place in line and expected wait; the wait is absent while too little is known. */
  outlook(jobId: JobId, nowMs: number): QueuePlace | undefined {
    return this.#tracker.outlook(jobId, nowMs);
  }

  /**
   * Takes one event in and says what to do.
   * @param nowMs milliseconds since the Unix epoch (deadlines are) that never run backwards
   */
  step(event: CoreEvent, nowMs: number): readonly CoreEffect[] {
    const effects: CoreEffect[] = [];
    this.#take(event, nowMs, effects);
    this.#dispatch(nowMs, effects);
    return effects;
  }

  #take(event: CoreEvent, nowMs: number, effects: CoreEffect[]): void {
    const tracker = this.#tracker;
    switch (event.kind) {
      case 'job_stored':
        tracker.stored(event, nowMs, effects);
        break;
      case 'job_ended':
        tracker.ended(event.jobId, event.tokens, nowMs);
        break;
      case 'job_released':
        tracker.released(event.jobId, nowMs, effects);
        break;
      case 'job_gone':
        tracker.gone(event.jobId, nowMs);
        break;
      case 'load_report':
        this.#reported(event.report, nowMs);
        break;
      case 'peer_heard':
        if (event.balancerId !== this.#parts.self) this.#peers.heard(event.balancerId, nowMs);
        break;
      case 'peer_left':
        this.#peers.left(event.balancerId);
        break;
      case 'peer_took':
        this.#conversations.served(
          tracker.get(event.jobId)?.header.conversationKey,
          event.workerId,
        );
        if (!event.follows) this.#grants.peerSpent(event, nowMs);
        tracker.hinted(event, nowMs);
        break;
      case 'run_answered':
        this.#answered(event, nowMs, effects);
        break;
      case 'ledger_read':
        tracker.read(event, nowMs, effects);
        break;
      case 'disconnected':
        tracker.hearing.disconnected(nowMs);
        break;
      case 'connected':
        tracker.hearing.connected(nowMs);
        break;
      case 'tick':
        this.#tick(nowMs, effects);
        break;
    }
  }

  #reported(report: LoadReport, nowMs: number): void {
    if (this.#grants.report(report, nowMs)) this.#tracker.reported(report, nowMs);
  }

  #answered(
    event: Extract<CoreEvent, { kind: 'run_answered' }>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    const { jobId, workerId, answer } = event;
    this.#grants.answered(workerId, jobId);
    switch (answer) {
      case 'lost':
        this.counts.racesLost += 1;
        break;
      case 'full':
        this.counts.refusedFull += 1;
        this.#grants.forget(workerId);
        break;
      case 'draining':
        this.counts.refusedDraining += 1;
        this.#grants.forget(workerId);
        break;
      case 'absent':
        this.counts.absent += 1;
        this.#grants.forget(workerId);
        break;
      case 'call_gone':
        this.counts.callsGone += 1;
        break;
      default:
        break;
    }
    this.#tracker.answered(event, nowMs, effects);
  }

  #tick(nowMs: number, effects: CoreEffect[]): void {
    const lastMs = this.#lastTickMs ?? nowMs;
    this.#lastTickMs = nowMs;
    // This process was stopped, or too busy to tick: what was said meanwhile is not yet read.
    if (nowMs - lastMs >= this.#limits.peerDeadMs) {
      this.counts.slept += 1;
      this.#tracker.hearing.slept(lastMs, nowMs);
    }
    if (nowMs >= this.#wakeAtMs) this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#peers.sweep(nowMs);
    this.#tracker.lookAtDue(nowMs, effects);
  }

  #dispatch(nowMs: number, effects: CoreEffect[]): void {
    this.#follow(nowMs, effects);
    if (this.#tracker.waiting === 0) return;
    const nextMs = this.#grants.nextBorrowAtMs(nowMs);
    const slots = nextMs === undefined ? this.#grants.ours(nowMs) : this.#grants.all(nowMs);
    this.#spend(slots, nowMs, effects);
    if (nextMs !== undefined && this.#tracker.waiting > 0) this.#wakeAt(nextMs, nowMs, effects);
  }

  #spend(slots: SpendableSlots, nowMs: number, effects: CoreEffect[]): void {
    while (this.#tracker.waiting > 0) {
      const job = this.#tracker.head(nowMs, slots.canServe);
      if (job?.state.kind !== 'waiting') return;
      const turnAtMs = this.#tracker.turnAtMs(job);
      if (turnAtMs > nowMs) {
        this.#wakeAt(turnAtMs, nowMs, effects);
        return;
      }
      if (!this.#send(job, slots.loads(job.header.model), nowMs, effects)) return;
      if (job.header.callKey !== undefined) this.#follow(nowMs, effects);
    }
  }

  /** Jobs whose call a worker holds go there at once: they need no slot, and so no grant. */
  #follow(nowMs: number, effects: CoreEffect[]): void {
    const isLive = (workerId: WorkerId) => this.#grants.isHeard(workerId, nowMs);
    for (const { job, workerId } of this.#tracker.followable(isLive)) {
      const turnAtMs = this.#tracker.turnAtMs(job);
      if (turnAtMs > nowMs) {
        this.#wakeAt(turnAtMs, nowMs, effects);
        continue;
      }
      this.counts.followed += 1;
      const { strategy = leastConnections } = this.#parts;
      const explanation = explainFollowing(strategy.name, this.#grants.loadOf(workerId));
      this.#run(job, { workerId, follows: true, explanation }, nowMs, effects);
    }
  }

  #wakeAt(atMs: number, nowMs: number, effects: CoreEffect[]): void {
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    effects.push({ kind: 'wake', delayMs: atMs - nowMs });
  }

  #send(
    job: TrackedJob,
    loads: readonly WorkerLoad[],
    nowMs: number,
    effects: CoreEffect[],
  ): boolean {
    const { random, strategy } = this.#parts;
    const { conversationKey, jobId, model } = job.header;
    const lastWorker = this.#conversations.lastWorker(conversationKey);
    const options = {
      random,
      model,
      lastWorker,
      ...(strategy && { strategy }),
      ...(lastWorker !== undefined && { meanLoad: this.#grants.meanLoad(nowMs) }),
    };
    let choice = chooseWorker(loads, { ...options, exclude: job.refusedBy });
    if (choice.kind === 'none' && job.refusedBy.size > 0) {
      // All that have room have refused it before, and have reported since: the round begins anew.
      job.refusedBy.clear();
      choice = chooseWorker(loads, { ...options, exclude: noWorkers });
    }
    if (choice.kind === 'none') return false;
    const { workerId, explanation } = choice;
    this.#grants.spent(workerId, jobId, nowMs);
    this.#run(job, { workerId, follows: false, explanation }, nowMs, effects);
    return true;
  }

  #run(
    job: TrackedJob,
    to: Pick<RunEffect, 'workerId' | 'follows' | 'explanation'>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    const { attempt, header, previousRevision, sequence } = job;
    const { callKey, conversationKey, jobId } = header;
    this.#tracker.dispatched(job, to, nowMs);
    this.#conversations.served(conversationKey, to.workerId);
    effects.push({ kind: 'run', jobId, sequence, attempt, previousRevision, callKey, ...to });
  }
}

const noWorkers: ReadonlySet<WorkerId> = new Set();
