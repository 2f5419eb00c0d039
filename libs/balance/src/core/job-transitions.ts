/** The moves between the states of a tracked job: each sets the state and plans the next look. */
import type { BalancerId, WorkerId } from '@starling/contracts';
import { type HeardReport, isUnserved } from '../choice/unserved.ts';
import { CallHolders } from './call-holders.ts';
import type { CoreCounts } from './core-counts.ts';
import type { CoreEffect, CoreEvent } from './core-events.ts';
import type { CoreLimits } from './core-limits.ts';
import { FadingRate } from './fading-rate.ts';
import { HearingClock } from './hearing-clock.ts';
import { type EarlyWord, JobBook } from './job-book.ts';
import type { JobState, LedgerRead, TrackedJob } from './job-state.ts';
import { LineBounds, type Refused } from './line-bounds.ts';
import type { LinePace } from './line-pace.ts';
import type { PeerBook } from './peer-book.ts';
import { WaitingRoom } from './waiting-room.ts';

type StateOf<Kind extends JobState['kind']> = Extract<JobState, { kind: Kind }>;
type EventOf<Kind extends CoreEvent['kind']> = Extract<CoreEvent, { kind: Kind }>;
type Claimed = Extract<LedgerRead, { kind: 'run' | 'released' }>;

/** A balancer ranked after the home does the home's duties this much later for each rank. */
const standInMs = 1_000;

/** See the module's header. */
export class JobTransitions {
  readonly hearing: HearingClock;
  readonly counts: CoreCounts;
  readonly book = new JobBook();
  readonly room: WaitingRoom;
  readonly arrivals = new FadingRate();
  readonly starts = new FadingRate();
  readonly bounds: LineBounds;
  readonly calls: CallHolders;
  readonly #self: BalancerId;
  readonly #limits: CoreLimits;
  readonly #peers: PeerBook;

  constructor(parts: {
    readonly self: BalancerId;
    readonly limits: CoreLimits;
    readonly peers: PeerBook;
    readonly counts: CoreCounts;
  }) {
    this.#self = parts.self;
    this.#limits = parts.limits;
    this.#peers = parts.peers;
    this.counts = parts.counts;
    this.hearing = new HearingClock(parts.limits.deafAfterMs);
    this.room = new WaitingRoom(parts.limits.queue);
    this.bounds = new LineBounds({ room: this.room, starts: this.starts });
    const { callKeptMs: keptMs, callsKept: maxKept } = parts.limits;
    this.calls = new CallHolders({ keptMs, maxKept });
  }

  /** What too little is known of is `undefined`. */
  pace(nowMs: number): LinePace {
    const { arrivals, room, starts } = this;
    return { waitMs: starts.waitMs(room.size, nowMs), growth: arrivals.per(starts, nowMs) };
  }

  /** Our place among the balancers for this job, 0 for its home. Jobs that may share a call share a home. */
  rankFor({ header }: TrackedJob): number {
    return this.#peers.rankOf(header.callKey ?? header.jobId, this.#self);
  }

  /** Of all live balancers we are the first to act for it. */
  isHome(job: TrackedJob): boolean {
    return this.standInMs(job) === 0;
  }

  /** How much later than the job's home we act in its place. */
  standInMs(job: TrackedJob): number {
    return this.rankFor(job) * standInMs;
  }

  /** From then its end is written over its worker's claim: the worker should have ended it. */
  overdueAtMs(job: TrackedJob): number {
    return job.header.deadlineAtMs + this.#limits.overdueMs + this.standInMs(job);
  }

  /** When a running job must be looked up: silent for too long, or overdue. */
  silentAtMs(job: TrackedJob, heardAtMs: number, nowMs: number): number {
    const leftMs = this.#limits.silenceMs - (this.hearing.at(nowMs) - heardAtMs);
    return Math.min(nowMs + leftMs, this.overdueAtMs(job));
  }

  /** Why a new job is not queued. Its home decides: who else refused it might end what the home has queued. */
  refusal(
    job: TrackedJob,
    arrival: EventOf<'job_stored'>['arrival'],
    nowMs: number,
  ): Refused | undefined {
    if (arrival === 'backlog' || (arrival !== 'submitted' && !this.isHome(job))) return undefined;
    // It will not stand in the line that is too long.
    if (this.calls.isHeld(job.header.callKey)) return undefined;
    return this.bounds.judge(job.header, nowMs);
  }

  /** It starts, here or elsewhere: it leaves the queue, its guild and user are charged the estimate. */
  start(job: TrackedJob, nowMs: number): void {
    if (job.charged) return;
    if (job.follows) {
      this.room.remove(job.header.jobId);
      return;
    }
    job.charged = true;
    if (this.room.take(job.header)) this.starts.happened(nowMs);
  }

  /** Back in line: it has not been served, so what was charged is given back. */
  wait(job: TrackedJob, nowMs: number): void {
    if (job.charged) this.room.charge(job.header, -job.header.tokenEstimate);
    job.charged = false;
    job.follows = false;
    job.workerId = undefined;
    job.state = { kind: 'waiting', sinceMs: nowMs };
    this.calls.waits(job);
    this.room.add(job.header, nowMs);
    this.book.lookAt(job, this.#hopeAtMs(job, nowMs));
  }

  /** It goes on waiting, unless its time is up or no worker serves its model, nor did a moment ago. */
  waitOn(
    job: TrackedJob,
    heard: Iterable<HeardReport>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    const { header, previousRevision } = job;
    const { deadlineAtMs, model } = header;
    const { silenceMs: deadMs, unservedMs: returnMs } = this.#limits;
    // What we could not hear of may be there all the same.
    const isHopeless = () =>
      model !== undefined &&
      !this.hearing.isDeaf(nowMs) &&
      isUnserved(heard, { model, nowMs, deadMs, returnMs });
    if (nowMs >= deadlineAtMs - this.#limits.leastRunMs)
      this.fail(job, { code: 'deadline_exceeded', previousRevision }, nowMs, effects);
    else if (isHopeless())
      this.fail(job, { code: 'model_not_found', previousRevision }, nowMs, effects);
    else this.book.lookAt(job, this.#hopeAtMs(job, nowMs));
  }

  hint(job: TrackedJob, { follows, untilMs, workerId }: EarlyWord, nowMs: number): void {
    job.follows = follows;
    this.start(job, nowMs);
    this.#isAt(job, workerId, false);
    job.state = { kind: 'hinted', untilMs };
    this.book.lookAt(job, untilMs);
  }

  dispatch(
    job: TrackedJob,
    { follows, workerId }: Pick<EarlyWord, 'follows' | 'workerId'>,
    nowMs: number,
  ): void {
    job.follows = follows;
    this.start(job, nowMs);
    this.#isAt(job, workerId, false);
    job.state = { kind: 'dispatching', workerId, sinceMs: nowMs };
    this.book.lookAt(job, nowMs + this.#limits.silenceMs);
  }

  /** @param workerId whose word it is that it has the job; absent when nobody said where it is */
  run(job: TrackedJob, heardAtMs: number, nowMs: number, workerId?: WorkerId): void {
    const planned = job.state.kind === 'running';
    if (!planned) this.start(job, nowMs);
    if (workerId === undefined) this.#isNowhere(job);
    else if (!planned || job.workerId !== workerId) this.#isAt(job, workerId, true);
    job.state = { kind: 'running', heardAtMs };
    // Of a job that already runs the planned look comes early and plans anew: reports cost nothing.
    if (!planned) this.book.lookAt(job, this.silentAtMs(job, heardAtMs, nowMs));
  }

  /** Asks the ledger instead of assuming. */
  check(
    job: TrackedJob,
    why: StateOf<'checking'>['why'],
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    this.counts[why] += 1;
    // It said yes and did nothing: where there is another worker, the next try is that one's.
    if (why === 'silent' && job.workerId !== undefined) job.refusedBy.add(job.workerId);
    this.#isNowhere(job);
    job.state = { kind: 'checking', why, first: undefined };
    effects.push({ kind: 'read_ledger', jobId: job.header.jobId });
    this.book.lookAt(job, nowMs + this.#limits.ledgerRetryMs);
  }

  /** A silent claim was read: after two equal reads it is replaced. */
  confirm(
    job: TrackedJob,
    state: StateOf<'checking'>,
    read: Claimed,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    if (this.hearing.isDeaf(nowMs)) {
      this.run(job, this.hearing.at(nowMs), nowMs);
    } else if (state.first?.revision !== read.revision) {
      job.state = { ...state, first: { revision: read.revision, atMs: nowMs } };
      this.book.lookAt(job, nowMs + this.#limits.confirmMs);
    } else if (nowMs - state.first.atMs < this.#limits.confirmMs) {
      // The same answer twice is no second look.
      return;
    } else {
      this.retry(job, read, nowMs, effects);
    }
  }

  /** The next attempt waits in line, and replaces the claim that was read; after the last it is given up. */
  retry(job: TrackedJob, read: Claimed, nowMs: number, effects: CoreEffect[]): void {
    const { attempt, kind, revision: previousRevision } = read;
    // What its worker still reports of it is old.
    if (kind === 'released') job.claimedAttempt = Math.max(job.claimedAttempt, attempt + 1);
    if (attempt >= this.#limits.maxAttempts && !(kind === 'released' && read.byOperator)) {
      job.attempt = attempt;
      this.counts.exhausted += 1;
      this.fail(job, { code: 'gave_up', previousRevision }, nowMs, effects);
      return;
    }
    this.counts.redriven += 1;
    job.attempt = attempt + 1;
    job.previousRevision = previousRevision;
    job.refusedBy.clear();
    this.wait(job, nowMs);
  }

  /** The ledger knows nothing of it (any more): what comes next replaces no claim. */
  unclaimed(job: TrackedJob, nowMs: number, effects: CoreEffect[]): void {
    job.previousRevision = undefined;
    const { state } = job;
    const { deadlineAtMs } = job.header;
    const late = { code: 'deadline_exceeded', previousRevision: undefined } as const;
    // A worker that takes jobs and never begins would be sent them for ever.
    if (state.kind === 'checking' && nowMs >= deadlineAtMs - this.#limits.leastRunMs)
      this.fail(job, late, nowMs, effects);
    else if (state.kind === 'checking') this.wait(job, nowMs);
    else if (state.kind === 'failing' && state.previousRevision !== undefined)
      this.fail(job, { ...late, code: state.code }, nowMs, effects);
  }

  /** It will not be answered: its home writes the honest end, others if the home does not. */
  fail(
    job: TrackedJob,
    end: Omit<StateOf<'failing'>, 'kind'>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    this.room.remove(job.header.jobId);
    this.#isNowhere(job);
    const state = { kind: 'failing', ...end } as const;
    job.state = state;
    const delayMs = this.standInMs(job);
    if (delayMs === 0) this.writeEnd(job, state, nowMs, effects);
    else this.book.lookAt(job, nowMs + delayMs);
  }

  writeEnd(
    job: TrackedJob,
    { code, previousRevision, refused }: StateOf<'failing'>,
    nowMs: number,
    effects: CoreEffect[],
  ): void {
    const { attempt, header } = job;
    const { jobId } = header;
    if (!this.isHome(job)) this.counts.stoodIn += 1;
    const end = { kind: 'end_failed', jobId, code, previousRevision, attempt } as const;
    effects.push(refused ? { ...refused, ...end } : end);
    this.book.lookAt(job, nowMs + this.#limits.ledgerRetryMs);
  }

  /** Its end stands; it is looked for in `JOBS` until its owner has delivered it. */
  end(job: TrackedJob, tokens: number | undefined, nowMs: number): void {
    this.room.remove(job.header.jobId);
    this.calls.ended(job, nowMs);
    const charged = job.charged ? job.header.tokenEstimate : 0;
    if (tokens !== undefined && tokens !== charged) this.room.charge(job.header, tokens - charged);
    job.state = { kind: 'ended' };
    this.book.lookAt(job, nowMs + this.#limits.undeliveredMs);
  }

  /** When a waiting job must be looked at: its time is up, or nobody may be there to serve its model. */
  #hopeAtMs({ header }: TrackedJob, nowMs: number): number {
    const lastMs = header.deadlineAtMs - this.#limits.leastRunMs;
    return header.model === undefined ? lastMs : Math.min(lastMs, nowMs + this.#limits.unservedMs);
  }

  #isAt(job: TrackedJob, workerId: WorkerId, said: boolean): void {
    job.workerId = workerId;
    this.calls.isAt(job, workerId, said);
  }

  #isNowhere(job: TrackedJob): void {
    job.workerId = undefined;
    this.calls.left(job);
  }
}
