/**
 * The fleet's side of the front door. A request becomes an ephemeral job (protocol.md, step 12): it is
 * submitted to its home balancer, and again to another one when that dies or gives it back, as long as
 * the caller has seen nothing of it. Each submission has a job id of its own, and the one before is
 * cancelled: whatever still arrives for it belongs to nobody.
 *
 * No request has a timer of its own: one look, several times a second, goes over them all.
 */
import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type BalancerId,
  type Frame,
  type IngressId,
  type JobId,
  jobId,
  type Result,
  type Returned,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import { AnswerText } from './answer-text.ts';
import { type ApiProblem, jobProblem } from './api-problem.ts';
import type { BalancerRoster } from './balancer-roster.ts';
import { FleetVoice } from './fleet-voice.ts';
import { callKeyOfRequest } from './job-of-request.ts';
import type { Ask, Departure, Ending, OpenJob } from './open-job.ts';
import { submitJob } from './submit-job.ts';
import type { Tally } from './tally.ts';

export interface DeskParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ingressId: IngressId;
  readonly roster: BalancerRoster;
  readonly tally: Tally;
  readonly telemetry: RoleTelemetry;
  readonly config: { readonly submitTimeoutMs: number; readonly requestTimeoutMs: number };
}

/** Each may cost a call of the provider, so few. */
const maxSubmissions = 3;
/** A balancer, or the bus, that restarts is back by then. */
const maxHomelessMs = 5_000;
/** A worker ends a job at its deadline; its word may take this long to come here. */
const deadlineGraceMs = 1_000;
/**
 * A stream without a balancer that would tell us of its worker's death is given up after this long
 * without a word; a worker gives its provider 8 s between two tokens.
 */
const maxSilentMs = 15_000;

export class JobDesk {
  readonly #parts: DeskParts;
  readonly #voice: FleetVoice;
  readonly #open = new Map<JobId, OpenJob>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#voice = new FleetVoice(parts.bus.messaging, parts.telemetry);
  }

  /** A piece of an answer; of a job that nobody waits for it is dropped. */
  frame(frame: Frame): void {
    const open = this.#open.get(frame.jobId);
    if (open) open.heardAtMs = this.#parts.clock.monotonicMs();
    const text = open?.text.frame(frame, (from) =>
      this.#voice.resend({ jobId: frame.jobId, attempt: frame.attempt, from }),
    );
    if (open && text) this.#say(open, text);
  }

  /** The end of a job. */
  result({ jobId, outcome }: Result): void {
    const open = this.#open.get(jobId);
    if (!open) return;
    if (outcome.kind === 'failed') {
      this.#fail(open, jobProblem(outcome.code, outcome.retryAfterMs));
      return;
    }
    const { reply } = open.ask;
    if (!reply.begun) this.#observeFirst(open);
    this.#end(open, { kind: 'answered' });
    reply.done(outcome, open.text.rest(outcome.text));
  }

  /** A balancer gave a job back. */
  returned({ jobId, balancerId, why }: Returned): void {
    const open = this.#open.get(jobId);
    if (!open) return;
    if (open.ask.reply.begun) this.#abandon(open, jobProblem('answer_cut'));
    else this.#resubmit(open, why, why === 'draining' ? [balancerId] : []);
  }

  /** Takes a request on; its reply is told everything from now on. */
  ask(ask: Ask): { leave(why: Departure): void } {
    const { clock, config } = this.#parts;
    const acceptedAtMs = clock.nowMs();
    const open: OpenJob = {
      ask,
      acceptedAtMs,
      deadlineAtMs: acceptedAtMs + config.requestTimeoutMs,
      callKey: callKeyOfRequest(ask.request, ask.caller),
      jobId: jobIdOf(ask.requestId, 1),
      submissions: 1,
      text: new AnswerText(),
      placement: { kind: 'homeless' },
      heardAtMs: clock.monotonicMs(),
      homelessSinceMs: undefined,
      tried: new Set(),
    };
    this.#open.set(open.jobId, open);
    this.#place(open);
    return { leave: (why) => this.#leave(open, why) };
  }

  /** Looks after everything that waits; to be called several times a second. */
  look(): void {
    const { clock, bus, roster } = this.#parts;
    const nowMs = clock.monotonicMs();
    const hearing = bus.state === 'connected';
    roster.look(nowMs, { hearing });
    const overdueMs = clock.nowMs() - deadlineGraceMs;
    for (const open of [...this.#open.values()]) {
      const { placement, ask } = open;
      // What was said while we were away is asked for again when its stream goes on.
      if (!hearing) open.heardAtMs = nowMs;
      if (placement.kind === 'placed' && roster.leaves(placement.home)) {
        open.placement = { kind: 'running' };
      }
      if (open.deadlineAtMs < overdueMs) this.#abandon(open, jobProblem('deadline_exceeded'));
      else if (placement.kind === 'homeless') this.#placeAgain(open, nowMs);
      else if (placement.kind === 'placed' && !ask.reply.begun && !roster.lives(placement.home)) {
        this.#resubmit(open, 'balancer_gone', []);
      } else if (this.#isForsaken(open) && nowMs - open.heardAtMs >= maxSilentMs) {
        this.#abandon(open, jobProblem('answer_cut'));
      }
    }
  }

  /** A stream has begun, and nobody would tell us that its worker died. */
  #isForsaken({ ask, placement }: OpenJob): boolean {
    if (!ask.reply.begun) return false;
    if (placement.kind === 'placed') return !this.#parts.roster.lives(placement.home);
    return placement.kind === 'running';
  }

  /** Breaks off what is left. */
  abandonAll(problem: ApiProblem): void {
    for (const open of [...this.#open.values()]) this.#abandon(open, problem);
  }

  /** Finds the job a home; at the first that takes it, it is placed. */
  #place(open: OpenJob): void {
    this.#offer(open).catch((error: unknown) => {
      const log = this.#parts.telemetry.log('desk');
      this.#parts.telemetry.run(() => log.error('submit.failed', { error }), open.ask.context);
      this.#abandon(open, jobProblem('internal'));
    });
  }

  async #offer(open: OpenJob): Promise<void> {
    const { bus, clock, config, ingressId, roster } = this.#parts;
    const { messaging } = bus;
    for (;;) {
      // Those that may share a call meet at one balancer.
      const home = roster.homeOf(open.callKey ?? open.jobId, open.tried);
      if (!home) return this.#wait(open);
      open.placement = { kind: 'submitting', home };
      const { jobId } = open;
      const timeoutMs = config.submitTimeoutMs;
      const outcome = await submitJob(open, { messaging, ingressId, home, timeoutMs });
      // Ended, or given back and submitted anew, while we asked.
      if (isOver(open) || open.jobId !== jobId) return;
      switch (outcome.kind) {
        case 'accepted':
          open.placement = { kind: 'placed', home };
          open.homelessSinceMs = undefined;
          open.ask.onPlace(outcome);
          return;
        case 'refused':
          if (outcome.code !== 'draining' && outcome.code !== 'invalid') {
            if (outcome.place) {
              const { position, waitMs: expectedWaitMs = 0 } = outcome.place;
              open.ask.onPlace({ position, expectedWaitMs });
            }
            return this.#fail(open, jobProblem(outcome.code, outcome.retryAfterMs));
          }
          open.tried.add(home.balancerId);
          break;
        case 'absent':
          open.tried.add(home.balancerId);
          break;
        case 'unknown':
          if (open.ask.reply.begun) {
            // Its text came although its reply did not: it runs.
            open.placement = { kind: 'placed', home };
            return;
          }
          open.tried.add(home.balancerId);
          if (!this.#renew(open, 'no_reply')) return;
          break;
        case 'unsent':
          return this.#wait(open);
      }
      open.homelessSinceMs ??= clock.monotonicMs();
    }
  }

  #wait(open: OpenJob): void {
    open.homelessSinceMs ??= this.#parts.clock.monotonicMs();
    open.placement = { kind: 'homeless' };
  }

  #placeAgain(open: OpenJob, nowMs: number): void {
    if (nowMs - (open.homelessSinceMs ?? nowMs) > maxHomelessMs) {
      this.#fail(open, jobProblem('no_worker'));
      return;
    }
    open.tried = new Set();
    this.#place(open);
  }

  #resubmit(
    open: OpenJob,
    why: Returned['why'] | 'balancer_gone',
    excluded: readonly BalancerId[],
  ): void {
    open.tried = new Set(excluded);
    if (this.#renew(open, why)) this.#place(open);
  }

  /** A new job for the same request; the old one is cancelled. False when there were enough of them. */
  #renew(open: OpenJob, why: string): boolean {
    this.#voice.cancel(open.jobId);
    if (open.submissions >= maxSubmissions) {
      this.#fail(open, jobProblem('no_worker'));
      return false;
    }
    const { tally, telemetry } = this.#parts;
    tally.count('starling.ingress.resubmissions', { why });
    const log = telemetry.log('desk');
    telemetry.run(() => log.info('job.resubmitted', { jobId: open.jobId, why }), open.ask.context);
    this.#open.delete(open.jobId);
    open.submissions += 1;
    open.jobId = jobIdOf(open.ask.requestId, open.submissions);
    open.text = new AnswerText();
    this.#open.set(open.jobId, open);
    return true;
  }

  #say(open: OpenJob, text: string): void {
    const { reply } = open.ask;
    if (!reply.begun) this.#observeFirst(open);
    reply.text(text);
  }

  #observeFirst({ ask: { arrivedAtMs, request } }: OpenJob): void {
    if (!request.stream) return;
    const { clock, tally } = this.#parts;
    tally.observe('starling.ingress.first_token', clock.monotonicMs() - arrivedAtMs);
  }

  #leave(open: OpenJob, why: Departure): void {
    if (isOver(open)) return;
    this.#voice.cancel(open.jobId);
    this.#parts.tally.count('starling.ingress.disconnects', { why });
    this.#end(open, { kind: 'left', why });
  }

  /** Fails a request whose job may still run. */
  #abandon(open: OpenJob, problem: ApiProblem): void {
    if (isOver(open)) return;
    this.#voice.cancel(open.jobId);
    this.#fail(open, problem);
  }

  #fail(open: OpenJob, problem: ApiProblem): void {
    if (isOver(open)) return;
    this.#end(open, { kind: 'failed', problem });
    open.ask.reply.failed(problem);
  }

  #end(open: OpenJob, ending: Ending): void {
    open.placement = { kind: 'ended' };
    this.#open.delete(open.jobId);
    open.ask.onEnded(ending, open.submissions);
  }
}

function isOver(open: OpenJob): boolean {
  return open.placement.kind === 'ended';
}

function jobIdOf(requestId: string, submission: number): JobId {
  return jobId.parse(`${requestId}-${submission}`);
}
