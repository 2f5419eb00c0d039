/**
 * A worker's side of the protocol as a state machine: slots, whom they are dealt to, the claim before
 * the run, the end after it. No I/O and no clock; the same code runs in the process and in the
 * simulation. A slot is held from the claim until the end is written (or refused): in flight lasts to
 * the last token, and to the word that it is over. Jobs that share a call share its slot.
 */
import type { CallKey, JobId, LoadReport } from '@starling/contracts';
import { PeerBook } from '../core/peer-book.ts';
import { rendezvousWeight } from '../core/rendezvous.ts';
import { HealthTracker } from '../health/health-tracker.ts';
import { CallBook } from './call-book.ts';
import { endRule } from './end-rule.ts';
import { claimOf, type JobUse, laterAttempts } from './job-use.ts';
import { ReportPace } from './report-pace.ts';
import { SlotGrants, usableSlots } from './slot-grants.ts';
import { SlotLimit } from './slot-limit.ts';
import { ToldEnds } from './told-ends.ts';
import type { WorkerCoreParts } from './worker-core-parts.ts';
import type { JobFinish, WorkerEffect, WorkerEvent } from './worker-events.ts';
import { defaultWorkerLimits, type WorkerLimits } from './worker-limits.ts';

type RunRequested = Extract<WorkerEvent, { kind: 'run_requested' }>;
type Answer = Extract<WorkerEffect, { kind: 'reply' }>['answer'];

/** See the module's header. */
export class WorkerCore {
  readonly #parts: WorkerCoreParts;
  readonly #limits: WorkerLimits;
  readonly #jobs = new Map<JobId, JobUse>();
  readonly #calls: CallBook;
  readonly #balancers: PeerBook;
  readonly #grants: SlotGrants;
  readonly #health = new HealthTracker();
  readonly #pace: ReportPace;
  readonly #ends = new ToldEnds();
  readonly #limit: SlotLimit;
  #models: LoadReport['models'];
  #draining = false;
  #sequence = 0;

  constructor(parts: WorkerCoreParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? defaultWorkerLimits;
    this.#pace = new ReportPace(this.#limits);
    this.#calls = new CallBook(this.#limits.calls);
    this.#balancers = new PeerBook(this.#limits.balancerDeadMs);
    this.#grants = new SlotGrants(rendezvousWeight('turn', parts.self));
    const bounds = { ...parts, tickMs: this.#limits.reportMs };
    this.#limit = new SlotLimit(bounds, parts.startedAtMs);
  }

  /** Jobs that hold a slot. */
  get running(): readonly JobId[] {
    return this.#calls.callers([...this.#jobs.keys()]);
  }

  /** Jobs that share the call of another one. */
  get following(): readonly JobId[] {
    return [...this.#calls.followers];
  }

  /** Calls that may be in flight now: the slots, or fewer while answers begin late. */
  get limit(): number {
    return this.#limit.value;
  }

  /** What each of its maps holds: none may grow for ever. */
  get sizes() {
    const [jobs, peers, untold] = [this.#jobs.size, this.#balancers.ids.length, this.#ends.size];
    return { ...this.#calls.sizes, jobs, peers, untold };
  }

  get #inFlight(): number {
    return this.#jobs.size - this.#calls.followers.size;
  }

  /** Takes one event in and says what to do. `nowMs` never runs backwards. */
  step(event: WorkerEvent, nowMs: number): readonly WorkerEffect[] {
    const effects: WorkerEffect[] = [];
    switch (event.kind) {
      case 'run_requested':
        this.#requested(event, nowMs, effects);
        break;
      case 'claim_answered':
        this.#claimed(event, nowMs, effects);
        break;
      case 'finished':
        this.#finished(event.jobId, event.finish, nowMs, effects);
        break;
      case 'first_token':
        this.#limit.firstToken(event, nowMs);
        break;
      case 'end_answered':
        this.#endAnswered(event, nowMs, effects);
        break;
      case 'call_ended':
        effects.push(...this.#calls.ended(event.callKey, event.characters, nowMs));
        break;
      case 'cancel_requested':
        this.#cancel(event.jobId, effects);
        break;
      case 'balancer_heard':
        if (this.#balancers.heard(event.balancerId, nowMs)) this.#report(nowMs, effects);
        break;
      case 'balancer_left':
        if (this.#balancers.left(event.balancerId)) this.#report(nowMs, effects);
        break;
      case 'models_known':
        this.#models = event.models;
        this.#report(nowMs, effects);
        break;
      case 'drain':
        this.#draining = true;
        this.#report(nowMs, effects);
        this.#tellDrained(effects);
        break;
      case 'woken':
        if (this.#pace.isDue(nowMs)) this.#report(nowMs, effects);
        break;
      case 'tick':
        this.#balancers.sweep(nowMs);
        effects.push(...this.#calls.expire(nowMs));
        this.#writeEndsAgain(nowMs, effects);
        this.#limit.look(this.#inFlight, nowMs);
        this.#report(nowMs, effects);
        break;
    }
    return effects;
  }

  #requested(request: RunRequested, nowMs: number, effects: WorkerEffect[]): void {
    const { attempt, from, jobId } = request;
    const reply = (answer: Answer, why?: { readonly callGone: true }) =>
      effects.push({ kind: 'reply', jobId, to: from, attempt, answer, ...why });
    const known = this.#jobs.get(jobId);
    if (known?.phase.kind === 'claiming') known.askers.add(from);
    // A request that came twice, or after we were taken for dead: it runs, by whatever attempt.
    else if (known) reply(known.attempt === attempt ? 'ok' : 'lost');
    else if (this.#draining) reply('draining');
    else if (request.callKey !== undefined && this.#calls.follow(request.callKey, jobId)) {
      this.#take(request, request.callKey, effects);
    } else if (request.follows) reply('full', { callGone: true });
    else if (this.#inFlight >= this.#limit.value) reply('full');
    else {
      this.#grants.spend(from);
      const leads = request.callKey !== undefined && this.#calls.lead(request.callKey, jobId);
      this.#take(request, leads ? request.callKey : undefined, effects);
      this.#limit.began(this.#inFlight);
      this.#changed(nowMs, effects);
    }
  }

  #take(request: RunRequested, callKey: CallKey | undefined, effects: WorkerEffect[]): void {
    const { attempt, jobId, previousRevision } = request;
    this.#jobs.set(jobId, claimOf(request, callKey));
    effects.push({ kind: 'claim', jobId, attempt, previousRevision, callKey });
  }

  #claimed(
    { jobId, answer }: Extract<WorkerEvent, { kind: 'claim_answered' }>,
    nowMs: number,
    effects: WorkerEffect[],
  ): void {
    const use = this.#jobs.get(jobId);
    if (use?.phase.kind !== 'claiming') return;
    const { attempt, sequence, askers } = use;
    if (answer.kind === 'won') {
      use.phase = { kind: 'running', revision: answer.revision };
      effects.push({ kind: 'start', jobId, sequence, attempt });
      if (use.cancelled) effects.push({ kind: 'stop', jobId, reason: 'cancelled' });
    } else {
      this.#leave(jobId, nowMs, effects);
    }
    // After an unknown outcome nobody is answered: they ask the ledger, which knows.
    if (answer.kind === 'unknown') return;
    const word = answer.kind === 'won' ? 'ok' : 'lost';
    for (const to of askers) effects.push({ kind: 'reply', jobId, to, attempt, answer: word });
  }

  #finished(jobId: JobId, finish: JobFinish, nowMs: number, effects: WorkerEffect[]): void {
    const use = this.#jobs.get(jobId);
    if (use?.phase.kind !== 'running') return;
    if (use.callKey !== undefined) this.#calls.finished(use.callKey, jobId);
    // Who follows has not asked the provider anything.
    if (!this.#calls.followers.has(jobId)) {
      this.#health.learn(finish, nowMs);
      this.#limit.ended(finish.failed);
    }
    this.#writeEnd(jobId, use, { revision: use.phase.revision, finish }, nowMs, effects);
  }

  #writeEnd(
    jobId: JobId,
    use: JobUse,
    { finish, revision }: { readonly revision: number; readonly finish: JobFinish },
    nowMs: number,
    effects: WorkerEffect[],
  ): void {
    use.phase = { kind: 'ending', revision, finish, retryAtMs: nowMs + this.#limits.endRetryMs };
    effects.push({ kind: 'write_end', jobId, attempt: use.attempt, revision, finish });
  }

  #endAnswered(
    { jobId, answer }: Extract<WorkerEvent, { kind: 'end_answered' }>,
    nowMs: number,
    effects: WorkerEffect[],
  ): void {
    const use = this.#jobs.get(jobId);
    const fate = (this.#parts.endRule ?? endRule)(answer);
    if (use?.phase.kind !== 'ending' || fate === 'held') return;
    const { attempt, phase } = use;
    if (fate === 'settled') {
      this.#ends.add(jobId, phase.finish.tokens);
      effects.push({ kind: 'settled', jobId, attempt });
    } else {
      effects.push({ kind: 'fenced', jobId, attempt });
    }
    this.#leave(jobId, nowMs, effects);
  }

  #cancel(jobId: JobId, effects: WorkerEffect[]): void {
    const use = this.#jobs.get(jobId);
    if (!use || use.cancelled || use.phase.kind === 'ending') return;
    use.cancelled = true;
    if (use.phase.kind === 'running') effects.push({ kind: 'stop', jobId, reason: 'cancelled' });
  }

  #writeEndsAgain(nowMs: number, effects: WorkerEffect[]): void {
    for (const [jobId, use] of this.#jobs) {
      const { phase } = use;
      if (phase.kind !== 'ending' || nowMs < phase.retryAtMs) continue;
      this.#writeEnd(jobId, use, phase, nowMs, effects);
    }
  }

  #leave(jobId: JobId, nowMs: number, effects: WorkerEffect[]): void {
    const callKey = this.#jobs.get(jobId)?.callKey;
    const followed = this.#calls.followers.has(jobId);
    this.#jobs.delete(jobId);
    if (callKey !== undefined) this.#calls.left(callKey, jobId);
    // Of one that held no slot the next report is soon enough.
    if (!followed) this.#changed(nowMs, effects);
    this.#tellDrained(effects);
  }

  #tellDrained(effects: WorkerEffect[]): void {
    if (this.#draining && this.#jobs.size === 0) effects.push({ kind: 'drained' });
  }

  /** A slot was taken or came free: balancers are told together with what else changes soon. */
  #changed(nowMs: number, effects: WorkerEffect[]): void {
    // Whoever has a grant of ours left can use that one first.
    const pressing =
      this.#free(nowMs) > this.#grants.total && this.#grants.lacks(this.#balancers.ids);
    const delayMs = this.#pace.changed(pressing ? 'pressing' : 'plain', nowMs);
    if (delayMs === 0) this.#report(nowMs, effects);
    else if (delayMs !== undefined) effects.push({ kind: 'wake', delayMs });
  }

  /** Slots that may be dealt. */
  #free(nowMs: number): number {
    if (this.#draining) return 0;
    const servingMs = nowMs - this.#parts.startedAtMs;
    const { slowStart } = this.#limits;
    return Math.max(0, usableSlots(this.limit, servingMs, slowStart) - this.#inFlight);
  }

  #report(nowMs: number, effects: WorkerEffect[]): void {
    const { self, epoch, slots: fullSlots } = this.#parts;
    const models = this.#models;
    this.#pace.said(nowMs);
    this.#grants.settle(this.#free(nowMs), this.#balancers.ids);
    const ended = this.#ends.take();
    const attempts = laterAttempts(this.#jobs);
    const { errorRate, firstTokenMs } = this.#health.signs(nowMs);
    const report: LoadReport = {
      workerId: self,
      epoch,
      sequence: this.#sequence++,
      slots: this.#limit.value,
      running: [...this.running],
      draining: this.#draining,
      grants: this.#grants.record(),
      ...(this.following.length > 0 && { following: [...this.following] }),
      ...(attempts && { attempts }),
      ...(ended && { ended }),
      ...(this.limit < fullSlots && { fullSlots }),
      ...(models && { models }),
      ...(errorRate > 0 && { errorRate }),
      ...(firstTokenMs !== undefined && { firstTokenMs }),
    };
    effects.push({ kind: 'report', report });
  }
}
