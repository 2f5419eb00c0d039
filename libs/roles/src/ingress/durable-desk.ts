/**
 * Requests whose jobs outlive their connections. A caller's key names a stored job; whoever asks with
 * it, on any ingress, is attached to the job while it runs and given its end from the ledger ever
 * after. Nothing here is needed to bring a job to its end: this desk only listens, and a caller that
 * leaves takes nothing with it.
 */
import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type Frame,
  type IngressId,
  type IngressOrigin,
  type Job,
  ownerOfOrigin,
  type Wake,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import { type ApiProblem, jobProblem } from './api-problem.ts';
import { acceptKeyed, type Found } from './durable-acceptance.ts';
import { hearFramesOf } from './durable-ears.ts';
import { firstRunOf, keyedJobId } from './durable-key.ts';
import { FleetVoice } from './fleet-voice.ts';
import { jobOfRequest } from './job-of-request.ts';
import { OpenDurable } from './open-durable.ts';
import type { Departure } from './open-job.ts';
import type { Tally } from './tally.ts';
import { type DurableAsk, WaitingCaller } from './waiting-caller.ts';

export interface DurableDeskParts {
  readonly bus: Bus;
  readonly jobs: Pick<Jobs, 'store' | 'ledger'>;
  readonly clock: Clock;
  readonly ingressId: IngressId;
  readonly tally: Tally;
  readonly telemetry: RoleTelemetry;
  readonly config: { readonly requestTimeoutMs: number };
}

/** A job of which nothing was heard for this long is looked up: its last frame may be lost. */
const silentMs = 2_000;
/** Look-ups each time: a full queue is silent for good reason, and the ledger is shared. */
const maxLooks = 25;
/** A job ends at its deadline; the word of it may take this long to come here. */
const deadlineGraceMs = 1_000;

export class DurableDesk {
  readonly #parts: DurableDeskParts;
  readonly #voice: FleetVoice;
  /** By the first run of each key, the one looked up longest ago first; as many as callers at most. */
  readonly #open = new Map<string, OpenDurable>();
  #connected = true;

  constructor(parts: DurableDeskParts) {
    this.#parts = parts;
    this.#voice = new FleetVoice(parts.bus.messaging, parts.telemetry);
  }

  /** Takes a request on; its reply is told everything from now on. */
  ask(ask: DurableAsk): { leave(why: Departure): void } {
    const { clock, tally } = this.#parts;
    const base = keyedJobId(ask);
    const caller = new WaitingCaller(ask);
    const known = this.#open.get(base);
    const open =
      known ??
      new OpenDurable({
        ...{ base, tally, nowMs: clock.monotonicMs() },
        onClose: () => this.#open.delete(base),
      });
    open.join(caller);
    if (!known) {
      this.#open.set(base, open);
      void this.#start(open, caller);
    }
    return { leave: (why) => open.leave(caller, why) };
  }

  /** Whether the key stands for a job already, or nobody can tell. Never rejects. */
  async knows(of: { readonly caller: string; readonly key: string }): Promise<boolean> {
    const base = keyedJobId(of);
    if (this.#open.has(base)) return true;
    try {
      return (await this.#parts.jobs.ledger.read(base)).kind !== 'none';
    } catch {
      return true;
    }
  }

  /** A piece of an answer, or the word that it ended. @returns false when no key names its job */
  frame(frame: Frame): boolean {
    const base = firstRunOf(frame.jobId);
    if (base === undefined) return false;
    const open = this.#open.get(base);
    if (open?.jobId !== frame.jobId) return true;
    open.heardAtMs = this.#parts.clock.monotonicMs();
    if (frame.end) {
      const { result } = frame.end;
      if (result) open.settle({ result }, 'running');
      else void this.#read(open);
      return true;
    }
    const missing = open.take(frame);
    if (missing) this.#voice.resend(missing);
    return true;
  }

  /** A balancer says that the job ended. */
  wake({ jobId }: Wake): void {
    const open = this.#open.get(firstRunOf(jobId) ?? '');
    if (open?.jobId === jobId) void this.#read(open);
  }

  /** Looks after everything that waits; to be called several times a second. */
  look(): void {
    const { bus, clock, config } = this.#parts;
    const nowMs = clock.monotonicMs();
    const connected = bus.state === 'connected';
    const returned = connected && !this.#connected;
    this.#connected = connected;
    let looks = connected ? maxLooks : 0;
    for (const open of [...this.#open.values()]) {
      open.expire(nowMs - config.requestTimeoutMs - deadlineGraceMs);
      if (open.closed || !open.known) continue;
      // Last frames are sent once: what was said while we were away is lost.
      const silent = nowMs - open.heardAtMs >= silentMs && looks > 0;
      if (!returned && !silent) continue;
      looks -= 1;
      open.heardAtMs = nowMs;
      // Those that were not looked up are next, however many wait.
      this.#open.delete(open.base);
      this.#open.set(open.base, open);
      void this.#read(open);
    }
  }

  /** Breaks off what is left; the jobs go on. */
  abandonAll(problem: ApiProblem): void {
    for (const open of [...this.#open.values()]) open.failAll(problem);
  }

  /** Finds out what the key stands for, storing the job when it is new; never rejects. */
  async #start(open: OpenDurable, opener: WaitingCaller): Promise<void> {
    const { clock, jobs, telemetry } = this.#parts;
    try {
      for (let { first } = open; first && !open.closed; first = open.first) {
        const { context, request } = first.ask;
        const job = this.#jobOf(open, first);
        const { tokenEstimate } = request;
        const about = { tokenEstimate, context };
        const found = await acceptKeyed({ clock, jobs, telemetry }, job, about);
        if (open.closed) return;
        if (found.kind === 'ended' && open.runAgain(found.end)) continue;
        this.#found(open, { found, job, opener });
        return;
      }
      open.close();
    } catch (error) {
      telemetry.log('durable').error('accept.failed', { jobId: open.jobId, error });
      open.failAll(jobProblem('internal'));
    }
  }

  #found(
    open: OpenDurable,
    of: { readonly found: Found; readonly job: Job; readonly opener: WaitingCaller },
  ): void {
    const { found, job, opener } = of;
    switch (found.kind) {
      case 'refused':
        open.failAll(jobProblem(found.code));
        break;
      case 'ended':
        open.settle(found.end, 'ended');
        break;
      case 'new':
        open.runs(job, (caller) => (caller === opener ? 'new' : 'running'));
        break;
      case 'running': {
        const standing = found.job ?? job;
        open.runs(standing, () => 'running');
        if (!open.closed) void this.#follow(open, standing, found.attempt);
        break;
      }
    }
  }

  /** Hears the rest of a job that was accepted before, wherever that was. */
  async #follow(open: OpenDurable, job: Job, attempt: number): Promise<void> {
    const { bus, ingressId, telemetry } = this.#parts;
    const { jobId } = open;
    const owner = ownerOfOrigin(job.origin);
    try {
      if (owner !== ingressId) {
        const of = { owner, jobId };
        open.follow(await hearFramesOf(bus.messaging, of, (frame) => this.frame(frame)));
      }
    } catch (error) {
      // Then it is told by the ledger alone.
      telemetry.log('durable').debug('frames.unheard', { jobId, error });
    }
    if (open.closed) return;
    this.#voice.resend({ jobId, attempt, from: 0 });
    await this.#read(open);
  }

  /** Looks for the end in the ledger; never rejects. */
  async #read(open: OpenDurable): Promise<void> {
    const { jobs, telemetry } = this.#parts;
    if (open.reading !== 'no') {
      open.reading = 'again';
      return;
    }
    const { jobId } = open;
    try {
      while (!open.closed) {
        open.reading = 'yes';
        const read = await jobs.ledger.read(jobId);
        if (open.closed || open.jobId !== jobId) return;
        if (read.kind === 'end') return open.settle(read.end, 'running');
        if (isReadOnce(open)) return;
      }
    } catch (error) {
      // Looked up again when it has been silent for long enough.
      telemetry.log('durable').debug('end.unread', { jobId, error });
    } finally {
      open.reading = 'no';
    }
  }

  #jobOf(open: OpenDurable, { ask, fingerprint }: WaitingCaller): Job {
    const { clock, config, ingressId } = this.#parts;
    const { caller, request, requestId } = ask;
    const { stream } = request;
    const acceptedAtMs = clock.nowMs();
    const kind = 'ingress';
    const origin: IngressOrigin = { kind, ingressId, requestId, caller, stream, fingerprint };
    const deadlineAtMs = acceptedAtMs + config.requestTimeoutMs;
    return jobOfRequest(request, { jobId: open.jobId, origin, acceptedAtMs, deadlineAtMs });
  }
}

/** Nobody asked for another look while this one was under way. */
function isReadOnce({ reading }: OpenDurable): boolean {
  return reading !== 'again';
}
