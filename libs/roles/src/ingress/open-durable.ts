import type { Frame, Job, JobId, LedgerEnd, Resend } from '@starling/contracts';
import { nextRunId } from '@starling/jobs';
import { addFrame, type FrameAssembly, noFrames } from '../delivery/frame-assembly.ts';
import { type ApiProblem, finalProblem, jobProblem, requestProblem } from './api-problem.ts';
import { keyHeader } from './durable-key.ts';
import type { Departure } from './open-job.ts';
import { differingField, type Fingerprint } from './request-fingerprint.ts';
import type { Tally } from './tally.ts';
import type { WaitingCaller } from './waiting-caller.ts';

/** Runs of one key; after so many failures the last one stands. */
const maxRuns = 8;

/** A job as far as its callers are concerned. */
type Answered = Pick<Job, 'acceptedAtMs' | 'origin'>;

/** Whose answer it is. */
interface Answer {
  readonly createdAtMs: number;
  readonly fingerprint: Fingerprint | undefined;
}

/** What a caller's key stood for. */
type FoundKind = 'new' | 'running' | 'ended';

/**
 * A job by its key, and who waits for it here. It lives as long as somebody does: when the last one is
 * told, or gone, it closes.
 */
export class OpenDurable {
  /** The key's first run; the name of this entry. */
  readonly base: JobId;
  /** When something was last heard of it, monotonic. */
  heardAtMs: number;
  /** Whether its end is being looked up, and must be once more. */
  reading: 'no' | 'yes' | 'again' = 'no';
  readonly #tally: Tally;
  readonly #onClose: () => void;
  readonly #callers = new Set<WaitingCaller>();
  #jobId: JobId;
  #runs = 1;
  /** Whose answer it is; absent until the stores have told. */
  #answer: Answer | undefined;
  #frames: FrameAssembly = noFrames;
  #follows: AsyncDisposable | undefined;
  #closed = false;

  constructor(of: {
    readonly base: JobId;
    readonly nowMs: number;
    readonly tally: Tally;
    readonly onClose: () => void;
  }) {
    this.base = of.base;
    this.heardAtMs = of.nowMs;
    this.#tally = of.tally;
    this.#onClose = of.onClose;
    this.#jobId = of.base;
  }

  /** The run that is waited for: a later one when those before it failed. */
  get jobId(): JobId {
    return this.#jobId;
  }

  /** Nobody waits any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The stores have told what the key stands for. */
  get known(): boolean {
    return this.#answer !== undefined;
  }

  /** Who waits longest. */
  get first(): WaitingCaller | undefined {
    const [first] = this.#callers;
    return first;
  }

  /** Another caller of the same key. */
  join(caller: WaitingCaller): void {
    this.#callers.add(caller);
    if (!this.#answer) return;
    this.#admit(caller, this.#answer);
    if (!caller.over) this.#tellFound(caller, 'running');
    caller.tell(this.#frames);
    this.#sweep();
  }

  /** A piece of the answer. @returns what is missing before it */
  take(frame: Frame): Resend | undefined {
    const frames = addFrame(this.#frames, frame);
    if (frames === this.#frames) return undefined;
    this.#frames = frames;
    const { attempt, next: from } = frames;
    if (frames.hole) return { jobId: this.#jobId, attempt, from };
    if (!frames.broken) for (const caller of this.#callers) caller.tell(frames);
    this.#sweep();
    return undefined;
  }

  /** It is stored and has not ended. */
  runs(job: Answered, foundBy: (caller: WaitingCaller) => FoundKind): void {
    this.#know(job);
    for (const caller of this.#callers) {
      this.#tellFound(caller, foundBy(caller));
      caller.tell(this.#frames);
    }
    this.#sweep();
  }

  /** Its end stands in the ledger: everybody here is told. */
  settle({ result }: Pick<LedgerEnd, 'result'>, found: FoundKind): void {
    const { known } = this;
    this.#know(result);
    const { outcome } = result;
    for (const caller of this.#callers) {
      if (!known) this.#tellFound(caller, found);
      if (outcome.kind === 'done') caller.finish(outcome);
      else {
        const problem = jobProblem(outcome.code, outcome.retryAfterMs);
        caller.fail(this.#runs < maxRuns ? problem : finalProblem(problem));
      }
    }
    this.close();
  }

  /**
   * It ended before anybody here asked. A failure that may pass is no answer: it is run once more for
   * those who ask for the same.
   * @returns false when its end is what there is to tell
   */
  runAgain({ result }: LedgerEnd): boolean {
    const { outcome } = result;
    const passing = outcome.kind === 'failed' && jobProblem(outcome.code).retry;
    if (!passing || this.#runs >= maxRuns) return false;
    for (const caller of this.#callers) this.#judge(caller, fingerprintIn(result));
    this.#runs += 1;
    this.#jobId = nextRunId(this.#jobId);
    return true;
  }

  /** Hears the frames of another ingress from now on. */
  follow(frames: AsyncDisposable): void {
    this.#follows = frames;
    if (this.#closed) void frames[Symbol.asyncDispose]();
  }

  /** A caller goes; the job goes on: that is what durable is for. */
  leave(caller: WaitingCaller, why: Departure): void {
    if (caller.over) return;
    this.#tally.count('starling.ingress.disconnects', { why });
    caller.leave(why);
    this.#sweep();
  }

  /** Callers who came before `arrivedAtMs` have waited for long enough. */
  expire(arrivedAtMs: number): void {
    for (const caller of this.#callers) {
      if (caller.ask.arrivedAtMs < arrivedAtMs) caller.fail(jobProblem('deadline_exceeded'));
    }
    this.#sweep();
  }

  failAll(problem: ApiProblem): void {
    for (const caller of this.#callers) caller.fail(problem);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#follows?.[Symbol.asyncDispose]();
    this.#onClose();
  }

  /** Whose answer it is: callers who asked for another one are told so. */
  #know({ acceptedAtMs: createdAtMs, origin }: Answered): void {
    this.#answer = { createdAtMs, fingerprint: fingerprintIn({ origin }) };
    for (const caller of this.#callers) this.#admit(caller, this.#answer);
  }

  #admit(caller: WaitingCaller, { createdAtMs, fingerprint }: Answer): void {
    this.#judge(caller, fingerprint);
    caller.answeredBy({ id: this.#jobId, createdAtMs });
  }

  #judge(caller: WaitingCaller, fingerprint: Fingerprint | undefined): void {
    const field = differingField(caller.fingerprint, fingerprint);
    if (field === undefined) return;
    this.#tally.count('starling.ingress.durable', { found: 'conflict' });
    const message = `${field} is not what it was when this ${keyHeader} was first used: send the same request, or another key.`;
    caller.fail(requestProblem('idempotency_key_reused', message, field));
    this.#callers.delete(caller);
  }

  #tellFound(caller: WaitingCaller, found: FoundKind): void {
    this.#tally.count('starling.ingress.durable', { found });
    caller.ask.onFound(found);
  }

  /** Lets go of callers that are over, and closes when that was the last of them. */
  #sweep(): void {
    for (const caller of this.#callers) if (caller.over) this.#callers.delete(caller);
    // While it is being accepted the entry stays, for a caller that comes back at once.
    if (this.#callers.size === 0 && this.known) this.close();
  }
}

/** Absent when an older version accepted the job. */
function fingerprintIn({ origin }: Pick<Job, 'origin'>): Fingerprint | undefined {
  return origin.kind === 'ingress' ? origin.fingerprint : undefined;
}
