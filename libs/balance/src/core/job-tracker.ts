/**
 * Where each stored job stands in this balancer's belief, and what follows when nothing is heard of it:
 * the re-drive of a silent claim, the honest end at the deadline, the reminder of an undelivered end.
 */
import type { JobId, LoadReport, QueuePlace, WorkerId } from '@starling/contracts';
import type { Followable } from './call-holders.ts';
import type { CoreEffect, CoreEvent } from './core-events.ts';
import type { CoreLimits } from './core-limits.ts';
import type { GrantView } from './grant-view.ts';
import type { HearingClock } from './hearing-clock.ts';
import type { JobState, TrackedJob } from './job-state.ts';
import { JobTransitions } from './job-transitions.ts';

type EventOf<Kind extends CoreEvent['kind']> = Extract<CoreEvent, { kind: Kind }>;
type TrackerParts = ConstructorParameters<typeof JobTransitions>[0] & {
  readonly grants: Pick<GrantView, 'reports'>;
};

/** States in which somebody else is believed to have the job. */
const heldElsewhere: ReadonlySet<JobState['kind']> = new Set(['running', 'hinted', 'checking']);

/** See the module's header. */
export class JobTracker {
  readonly #limits: CoreLimits;
  readonly #move: JobTransitions;
  readonly #grants: TrackerParts['grants'];

  constructor(parts: TrackerParts) {
    this.#limits = parts.limits;
    this.#move = new JobTransitions(parts);
    this.#grants = parts.grants;
  }

  get hearing(): HearingClock {
    return this.#move.hearing;
  }

  get size(): number {
    return this.#move.book.size;
  }

  get sizes() {
    const { book, calls, room } = this.#move;
    return { ...book.sizes, ...room.sizes, ...calls.sizes };
  }

  get waiting(): number {
    return this.#move.room.size;
  }

  get(jobId: JobId): TrackedJob | undefined {
    return this.#move.book.get(jobId);
  }

  /** The job that fairness serves next, of those whose model somebody free can serve. */
  head(nowMs: number, placeable: (model: string | undefined) => boolean): TrackedJob | undefined {
    const head = this.#move.room.head(nowMs, placeable);
    return head && this.get(head.jobId);
  }

  /** How fast the line moves; what too little is known of is `undefined`. */
  pace(nowMs: number) {
    return this.#move.pace(nowMs);
  }

  outlook(jobId: JobId, nowMs: number): QueuePlace | undefined {
    const position = this.#move.room.position(jobId);
    if (position === undefined) return undefined;
    const waitMs = this.#move.starts.waitMs(position, nowMs);
    return waitMs === undefined ? { position } : { position, waitMs };
  }

  stored(event: EventOf<'job_stored'>, nowMs: number, effects: CoreEffect[]): void {
    const { arrival, header, sequence } = event;
    if (this.get(header.jobId)) return;
    const job: TrackedJob = {
      header,
      sequence,
      state: { kind: 'waiting', sinceMs: nowMs },
      attempt: 1,
      looks: 0,
      previousRevision: undefined,
      claimedAttempt: 1,
      charged: false,
      workerId: undefined,
      follows: false,
      ownCall: false,
      refusedBy: new Set(),
    };
    this.#move.book.add(job);
    const early = this.#move.book.takeEarly(header.jobId);
    if (early && early.untilMs > nowMs) {
      this.#move.hint(job, early, nowMs);
      return;
    }
    const refused = this.#move.refusal(job, arrival, nowMs);
    if (refused) {
      const { code } = refused;
      this.#move.fail(job, { code, previousRevision: undefined, refused }, nowMs, effects);
    } else {
      if (arrival !== 'backlog') this.#move.arrivals.happened(nowMs);
      this.#move.wait(job, nowMs);
    }
  }

  /** Its owner deleted it: nothing is left to do. */
  gone(jobId: JobId, nowMs: number): void {
    const job = this.get(jobId);
    if (!job) return;
    this.#move.room.remove(jobId);
    this.#move.calls.ended(job, nowMs);
    this.#move.book.delete(jobId);
  }

  /** Its end stands in the ledger. `tokens` corrects what the estimate charged. */
  ended(jobId: JobId, tokens: number | undefined, nowMs: number): void {
    const job = this.get(jobId);
    if (job && job.state.kind !== 'ended') this.#move.end(job, tokens, nowMs);
  }

  /** Nobody has it any more, somebody says: the ledger knows. */
  released(jobId: JobId, nowMs: number, effects: CoreEffect[]): void {
    const job = this.get(jobId);
    if (!job || !heldElsewhere.has(job.state.kind)) return;
    this.#move.check(job, 'released', nowMs, effects);
  }

  /** A worker lists its jobs: whoever dispatched them, they run. */
  reported(report: LoadReport, nowMs: number): void {
    const { running, following = [] } = report;
    for (const jobId of running) this.#heard(jobId, report, { follows: false, nowMs });
    for (const jobId of following) this.#heard(jobId, report, { follows: true, nowMs });
    for (const { jobId, tokens } of report.ended ?? []) this.ended(jobId, tokens, nowMs);
  }

  #heard(
    jobId: JobId,
    { attempts, workerId }: LoadReport,
    { follows, nowMs }: { readonly follows: boolean; readonly nowMs: number },
  ): void {
    const job = this.get(jobId);
    if (!job) {
      const untilMs = nowMs + this.#limits.hintMs;
      this.#move.book.noteEarly(jobId, { workerId, follows, untilMs });
      return;
    }
    const attempt = attempts?.[jobId] ?? 1;
    if (job.state.kind === 'ended' || attempt < job.claimedAttempt) return;
    // An end that replaces a claim is on its way; the worker's word comes too late.
    if (job.state.kind === 'failing' && job.state.previousRevision !== undefined) return;
    job.claimedAttempt = attempt;
    job.follows = follows;
    this.#move.run(job, this.hearing.at(nowMs), nowMs, workerId);
  }

  /** A peer dispatched it. */
  hinted({ follows = false, jobId, workerId }: EventOf<'peer_took'>, nowMs: number): void {
    const job = this.get(jobId);
    const word = { workerId, follows, untilMs: nowMs + this.#limits.hintMs };
    if (!job) this.#move.book.noteEarly(jobId, word);
    else if (job.state.kind === 'waiting') this.#move.hint(job, word, nowMs);
    else if (job.state.kind === 'running' || job.state.kind === 'checking') {
      this.#move.run(job, this.hearing.at(nowMs), nowMs, job.workerId);
    }
  }

  /** We sent it to a worker. */
  dispatched(
    job: TrackedJob,
    to: { readonly workerId: WorkerId; readonly follows: boolean },
    nowMs: number,
  ): void {
    this.#move.dispatch(job, to, nowMs);
  }

  /** The jobs that wait although a worker that is heard holds a call that they may share. */
  followable(isLive: (workerId: WorkerId) => boolean): readonly Followable[] {
    return this.#move.calls.followable(isLive);
  }

  /** From when on we may take a waiting job: at once as its home, else a moment later for each rank. */
  turnAtMs(job: TrackedJob): number {
    const { state } = job;
    if (state.kind !== 'waiting') return Number.POSITIVE_INFINITY;
    return state.sinceMs + this.#move.rankFor(job) * this.#limits.rankDelayMs;
  }

  answered(event: EventOf<'run_answered'>, nowMs: number, effects: CoreEffect[]): void {
    const job = this.#move.book.get(event.jobId);
    if (job?.state.kind !== 'dispatching') return;
    if (job.state.workerId !== event.workerId || job.attempt !== event.attempt) return;
    const refused = event.answer !== 'ok' && event.answer !== 'lost';
    if (job.follows && refused) this.#move.calls.refused(job, event.workerId);
    switch (event.answer) {
      case 'ok':
        job.claimedAttempt = event.attempt;
        this.#move.run(job, this.hearing.at(nowMs), nowMs, event.workerId);
        break;
      case 'call_gone':
        this.#move.wait(job, nowMs);
        break;
      case 'lost':
        // Somebody holds the claim: reports will list it, or their silence sends us to the ledger.
        this.#move.run(job, this.hearing.at(nowMs), nowMs);
        break;
      case 'silent':
        job.refusedBy.add(event.workerId);
        this.#move.check(job, 'unanswered', nowMs, effects);
        break;
      case 'full':
      case 'draining':
      case 'absent':
        job.refusedBy.add(event.workerId);
        this.#move.wait(job, nowMs);
        break;
    }
  }

  read({ jobId, read }: EventOf<'ledger_read'>, nowMs: number, effects: CoreEffect[]): void {
    const job = this.#move.book.get(jobId);
    if (!job) return;
    const { state } = job;
    if (read.kind === 'end') {
      this.ended(jobId, undefined, nowMs);
      if (state.kind === 'checking' && state.why === 'doubted')
        effects.push({ kind: 'wake_owner', jobId });
    } else if (state.kind !== 'checking' && state.kind !== 'failing') {
      return;
    } else if (read.kind === 'none') {
      this.#move.unclaimed(job, nowMs, effects);
    } else if (read.kind === 'released') {
      this.#move.retry(job, read, nowMs, effects);
    } else {
      job.claimedAttempt = Math.max(job.claimedAttempt, read.attempt);
      if (nowMs >= this.#move.overdueAtMs(job)) {
        const { revision: previousRevision } = read;
        this.#move.fail(job, { code: 'deadline_exceeded', previousRevision }, nowMs, effects);
      } else if (state.kind === 'failing' || state.why !== 'silent') {
        this.#move.run(job, this.hearing.at(nowMs), nowMs);
      } else {
        this.#move.confirm(job, state, read, nowMs, effects);
      }
    }
  }

  /** Looks at every job that is due, and at no other. */
  lookAtDue(nowMs: number, effects: CoreEffect[]): void {
    this.#move.calls.expire(nowMs);
    for (const job of this.#move.book.takeDue(nowMs)) this.#look(job, nowMs, effects);
  }

  #look(job: TrackedJob, nowMs: number, effects: CoreEffect[]): void {
    const { state } = job;
    const { jobId } = job.header;
    switch (state.kind) {
      case 'waiting':
        this.#move.waitOn(job, this.#grants.reports, nowMs, effects);
        break;
      case 'dispatching':
        this.#move.check(job, 'unanswered', nowMs, effects);
        break;
      case 'hinted':
        this.#move.counts.hintsVoid += 1;
        this.#move.wait(job, nowMs);
        break;
      case 'running':
        if (nowMs >= this.#move.silentAtMs(job, state.heardAtMs, nowMs)) {
          this.#move.check(job, 'silent', nowMs, effects);
        } else {
          this.#move.book.lookAt(job, this.#move.silentAtMs(job, state.heardAtMs, nowMs));
        }
        break;
      case 'checking':
        effects.push({ kind: 'read_ledger', jobId });
        this.#move.book.lookAt(job, nowMs + this.#limits.ledgerRetryMs);
        break;
      case 'failing':
        this.#move.writeEnd(job, state, nowMs, effects);
        break;
      case 'ended':
        // A removal that we did not hear of costs its owner a look; the feed itself finds it soon.
        this.#move.book.lookAt(job, nowMs + this.#limits.undeliveredMs);
        if (!this.#move.isHome(job)) break;
        job.looks += 1;
        // First the one, then the other: we hear our own reminder, and believe it.
        if (isDoubtful(job.looks)) this.#move.check(job, 'doubted', nowMs, effects);
        else effects.push({ kind: 'wake_owner', jobId });
        break;
    }
  }
}

/**
 * Its end may be no more than a word, or gone with a ledger that was full: looked up before the third
 * reminder, the sixth, the twelfth and so on, since an owner that is away for long leaves thousands.
 */
function isDoubtful(looks: number): boolean {
  return Number.isInteger(Math.log2(looks / 3));
}
