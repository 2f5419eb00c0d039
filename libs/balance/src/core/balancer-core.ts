/**
 * A balancer as a state machine: events in, effects out, no I/O and no clock. Every balancer sees the
 * headers of all stored jobs; whoever holds a worker's grant takes the fair head of the queue, and the
 * claim in the ledger decides who won. What a balancer believes may be wrong; the worst that a wrong
 * belief costs is one hop, because nothing is done on it that the claim does not confirm.
 *
 * The same code runs in the balancer process and in the simulation.
 */
import type { Random } from '@starling/clock';
import type { BalancerId, JobId, WorkerId } from '@starling/contracts';
import { chooseWorker } from '../choose-worker.ts';
import { FairQueue } from '../fair/fair-queue.ts';
import type { CoreEffect, CoreEvent, RunAnswer } from './core-events.ts';
import { GrantView } from './grant-view.ts';
import type { JobState, LedgerRead, TrackedJob } from './job-state.ts';
import { rendezvousRank } from './rendezvous.ts';

/** Times and bounds of a {@link BalancerCore}, milliseconds. */
export interface CoreLimits {
  /** Between ticks. */
  readonly tickMs: number;
  /** A peer that was silent this long is dead: three missed heartbeats of 250 ms. */
  readonly peerDeadMs: number;
  /** A report is a credit for this long. */
  readonly reportValidMs: number;
  /** A new job is left to the balancers ranked before us for this long a rank. */
  readonly rankDelayMs: number;
  /** A peer's word that it took a job is believed for this long unless a report lists the job. */
  readonly hintMs: number;
  /** A running job that no report lists for this long is looked up in the ledger. */
  readonly silenceMs: number;
  /** The claim must stand unchanged this long between two reads before it is replaced. */
  readonly confirmMs: number;
  /** Tries of a job before it fails. */
  readonly maxAttempts: number;
}

export const defaultCoreLimits: CoreLimits = {
  tickMs: 250,
  peerDeadMs: 750,
  reportValidMs: 750,
  rankDelayMs: 3,
  hintMs: 500,
  silenceMs: 3_000,
  confirmMs: 500,
  maxAttempts: 3,
};

/** See the module's header. */
export class BalancerCore {
  readonly #self: BalancerId;
  readonly #limits: CoreLimits;
  readonly #random: Random;
  readonly #queue = new FairQueue();
  readonly #jobs = new Map<JobId, TrackedJob>();
  readonly #peers = new Map<BalancerId, number>();
  readonly #grants: GrantView;
  /** While disconnected, and for a while after, silence proves nothing. */
  #deafUntilMs = 0;

  constructor(parts: {
    readonly self: BalancerId;
    readonly random: Random;
    readonly limits?: CoreLimits;
  }) {
    this.#self = parts.self;
    this.#random = parts.random;
    this.#limits = parts.limits ?? defaultCoreLimits;
    this.#grants = new GrantView({ self: parts.self, validMs: this.#limits.reportValidMs });
  }

  /** Jobs that wait here. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Jobs known, waiting or not. */
  get tracked(): number {
    return this.#jobs.size;
  }

  stateOf(jobId: JobId): JobState | undefined {
    return this.#jobs.get(jobId)?.state;
  }

  /** Takes one event in and says what to do. */
  step(event: CoreEvent, nowMs: number): readonly CoreEffect[] {
    const effects: CoreEffect[] = [];
    switch (event.kind) {
      case 'job_stored':
        this.#stored(event, nowMs);
        break;
      case 'job_gone':
        this.#gone(event.jobId, event.actualTokens);
        break;
      case 'load_report':
        this.#grants.report(event.report, nowMs);
        for (const jobId of event.report.running) this.#heard(jobId, nowMs);
        break;
      case 'peer_heard':
        this.#peers.set(event.balancerId, nowMs);
        break;
      case 'peer_left':
        this.#peers.delete(event.balancerId);
        break;
      case 'peer_took':
        this.#hinted(event.jobId, nowMs);
        break;
      case 'run_answered':
        this.#answered(event, nowMs, effects);
        break;
      case 'ledger_read':
        this.#read(event.jobId, event.read, nowMs, effects);
        break;
      case 'disconnected':
        this.#deafUntilMs = Number.POSITIVE_INFINITY;
        break;
      case 'connected':
        this.#deafUntilMs = nowMs + this.#limits.silenceMs;
        break;
      case 'tick':
        this.#tick(nowMs, effects);
        break;
    }
    this.#dispatch(nowMs, effects);
    return effects;
  }

  #stored({ header, sequence }: Extract<CoreEvent, { kind: 'job_stored' }>, nowMs: number): void {
    if (this.#jobs.has(header.jobId)) return;
    this.#jobs.set(header.jobId, {
      header,
      sequence,
      state: { kind: 'waiting', seenAtMs: nowMs },
      attempt: 1,
      previousRevision: undefined,
      refusedBy: new Set(),
    });
    this.#queue.add(header, nowMs);
  }

  #gone(jobId: JobId, actualTokens: number | undefined): void {
    const job = this.#jobs.get(jobId);
    if (!job) return;
    this.#jobs.delete(jobId);
    const waited = this.#queue.remove(jobId) !== undefined;
    if (!waited && actualTokens !== undefined) {
      this.#queue.charge(job.header, actualTokens - job.header.tokenEstimate);
    }
  }

  /** A worker lists the job: whoever dispatched it, it runs. */
  #heard(jobId: JobId, nowMs: number): void {
    const job = this.#jobs.get(jobId);
    if (job) this.#runs(job, nowMs);
  }

  #runs(job: TrackedJob, nowMs: number): void {
    if (job.state.kind === 'waiting') this.#queue.take(job.header.jobId);
    job.state = { kind: 'running', heardAtMs: nowMs };
  }

  #hinted(jobId: JobId, nowMs: number): void {
    const job = this.#jobs.get(jobId);
    if (job?.state.kind !== 'waiting') return;
    this.#queue.take(jobId);
    job.state = { kind: 'hinted', untilMs: nowMs + this.#limits.hintMs };
  }

  #waits(job: TrackedJob, nowMs: number): void {
    job.state = { kind: 'waiting', seenAtMs: nowMs };
    // What a take charged is given back: the job has not been served.
    this.#queue.charge(job.header, -job.header.tokenEstimate);
    this.#queue.add(job.header, nowMs);
  }

  #answered(
    { jobId, workerId, answer }: Extract<CoreEvent, { kind: 'run_answered' }>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    this.#grants.answered(workerId, jobId, answer === 'ok');
    if (answer === 'absent' || answer === 'draining') this.#grants.forget(workerId);
    const job = this.#jobs.get(jobId);
    if (job?.state.kind !== 'dispatching' || job.state.workerId !== workerId) return;
    const next: Record<RunAnswer, () => void> = {
      ok: () => this.#runs(job, nowMs),
      // Somebody holds the claim: reports will list it, or their silence will send us to the ledger.
      lost: () => this.#runs(job, nowMs),
      silent: () => this.#check(job, nowMs, effects),
      full: () => this.#refused(job, workerId, nowMs),
      draining: () => this.#refused(job, workerId, nowMs),
      absent: () => this.#refused(job, workerId, nowMs),
    };
    next[answer]();
  }

  #refused(job: TrackedJob, workerId: WorkerId, nowMs: number): void {
    job.refusedBy.add(workerId);
    this.#waits(job, nowMs);
  }

  #check(job: TrackedJob, nowMs: number, effects: CoreEffect[]): void {
    job.state = { kind: 'checking', sinceMs: nowMs, firstRead: undefined };
    effects.push({ kind: 'read_ledger', jobId: job.header.jobId });
  }

  #read(jobId: JobId, read: LedgerRead, nowMs: number, effects: CoreEffect[]): void {
    const job = this.#jobs.get(jobId);
    if (job?.state.kind !== 'checking') return;
    if (read.kind === 'end') {
      this.#gone(jobId, undefined);
    } else if (read.kind === 'none') {
      this.#waits(job, nowMs);
    } else if (job.state.firstRead?.kind !== 'run' || job.state.firstRead.revision !== read.revision) {
      job.state = { kind: 'checking', sinceMs: nowMs, firstRead: read };
    } else if (read.attempt >= this.#limits.maxAttempts) {
      effects.push({ kind: 'end_failed', jobId, code: 'internal' });
      job.state = { kind: 'running', heardAtMs: nowMs };
    } else {
      job.attempt = read.attempt + 1;
      job.previousRevision = read.revision;
      job.refusedBy.clear();
      this.#waits(job, nowMs);
    }
  }

  #tick(nowMs: number, effects: CoreEffect[]): void {
    for (const [peer, heardAtMs] of this.#peers) {
      if (nowMs - heardAtMs >= this.#limits.peerDeadMs) this.#peers.delete(peer);
    }
    const deaf = nowMs < this.#deafUntilMs;
    for (const job of this.#jobs.values()) {
      const { state } = job;
      if (state.kind === 'hinted' && nowMs >= state.untilMs) {
        this.#waits(job, nowMs);
      } else if (state.kind === 'running' && !deaf) {
        const silentSinceMs = Math.max(state.heardAtMs, this.#deafUntilMs);
        if (nowMs - silentSinceMs >= this.#limits.silenceMs) this.#check(job, nowMs, effects);
      } else if (state.kind === 'checking' && nowMs - state.sinceMs >= this.#limits.confirmMs) {
        job.state = { ...state, sinceMs: nowMs };
        effects.push({ kind: 'read_ledger', jobId: job.header.jobId });
      }
    }
    for (const header of this.#queue.expired(nowMs)) this.#expire(header.jobId, effects);
  }

  /** Only the job's home says so: every other balancer sees the end in the feed. */
  #expire(jobId: JobId, effects: CoreEffect[]): void {
    if (rendezvousRank(jobId, this.#self, this.#peers.keys()) === 0) {
      effects.push({ kind: 'end_failed', jobId, code: 'deadline_exceeded' });
    }
  }

  #dispatch(nowMs: number, effects: CoreEffect[]): void {
    while (this.#grants.available(nowMs) > 0) {
      const head = this.#queue.head(nowMs);
      const job = head && this.#jobs.get(head.jobId);
      if (job?.state.kind !== 'waiting') return;
      const rank = rendezvousRank(head.jobId, this.#self, this.#peers.keys());
      const turnAtMs = job.state.seenAtMs + rank * this.#limits.rankDelayMs;
      if (turnAtMs > nowMs) {
        effects.push({ kind: 'wake', delayMs: turnAtMs - nowMs });
        return;
      }
      if (!this.#send(job, nowMs, effects)) return;
    }
  }

  #send(job: TrackedJob, nowMs: number, effects: CoreEffect[]): boolean {
    const { jobId } = job.header;
    const choice = chooseWorker(this.#grants.granted(nowMs), {
      exclude: job.refusedBy,
      random: this.#random,
    });
    if (choice.kind === 'none') {
      job.refusedBy.clear();
      return false;
    }
    this.#queue.take(jobId);
    job.state = { kind: 'dispatching', workerId: choice.workerId };
    this.#grants.spent(choice.workerId, jobId);
    effects.push({
      kind: 'run',
      jobId,
      workerId: choice.workerId,
      sequence: job.sequence,
      attempt: job.attempt,
      previousRevision: job.previousRevision,
      explanation: choice.explanation,
    });
    return true;
  }
}
