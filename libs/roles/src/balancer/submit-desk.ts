import type { BalancerCore, CoreEffect } from '@starling/balance';
import type { BusMessage } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type BalancerId,
  cancelContract,
  encode,
  ingressId,
  type JobId,
  returnedContract,
  type SubmitReply,
  subjects,
  submitReplyContract,
} from '@starling/contracts';
import type { Context, RoleTelemetry } from '@starling/telemetry';
import type { QueuedWork } from './queued-work.ts';
import {
  headerOfSubmit,
  refusal,
  refusalCode,
  type Submission,
  workOfSubmit,
} from './submissions.ts';
import type { WorkerRoster } from './worker-roster.ts';

export interface SubmitDeskParts {
  readonly core: BalancerCore;
  readonly roster: Pick<WorkerRoster, 'anyServing'>;
  readonly works: Map<JobId, QueuedWork>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch as the core takes them. */
  readonly now: () => number;
  readonly telemetry: RoleTelemetry;
  readonly balancerId: BalancerId;
  readonly perform: (effect: CoreEffect) => void;
  readonly forget: (jobId: JobId) => void;
  readonly publish: (subject: string, payload: Uint8Array) => void;
}

/** Takes ephemeral jobs in, and gives back those that it cannot bring to an end. */
export class SubmitDesk {
  readonly #parts: SubmitDeskParts;
  /** No further job is taken. */
  closed = false;

  constructor(parts: SubmitDeskParts) {
    this.#parts = parts;
  }

  /** Answers an ingress; a submission that did not decode is absent. Gives the job that was queued. */
  answer(submission: Submission | undefined, message: BusMessage): JobId | undefined {
    const { telemetry } = this.#parts;
    const context = telemetry.contextFrom(message.headers);
    const reply = submission ? this.#take(submission, context) : refusal('invalid');
    try {
      message.respond(encode(submitReplyContract, { reply }));
    } catch (error) {
      // The ingress asks another balancer; ours finds the caller gone.
      telemetry.log('intake').debug('submit_reply.unsent', { error });
    }
    return reply.kind === 'accepted' ? submission?.submit.jobId : undefined;
  }

  /** Back to its ingress, which submits it elsewhere; whoever may run it all the same is told to stop. */
  giveBack({ context, jobId, owner }: QueuedWork, why: 'draining' | 'worker_lost'): void {
    const { balancerId, forget, publish, telemetry } = this.#parts;
    const returned = encode(returnedContract, { jobId, balancerId, why });
    publish(subjects.returned(ingressId.parse(owner)), returned);
    const cancel = encode(cancelContract, { jobId, reason: 'operator' });
    if (why === 'worker_lost') publish(subjects.cancel(jobId), cancel);
    const log = telemetry.log('dispatch');
    telemetry.run(() => log.info('job.returned', { jobId, why }), context);
    forget(jobId);
  }

  #take(submission: Submission, context: Context): SubmitReply {
    const { clock, core, now, roster, works } = this.#parts;
    const { deadlineAtMs, jobId } = submission.submit;
    if (this.closed) return refusal('draining');
    if (deadlineAtMs <= clock.nowMs()) return refusal('deadline_exceeded');
    if (!roster.anyServing) return refusal('no_worker');
    if (!works.has(jobId)) {
      const refused = this.#queue(submission, context);
      if (refused) return refused;
    }
    const outlook = core.outlook(jobId, now());
    const { position = 0, waitMs: expectedWaitMs = 0 } = outlook ?? {};
    return { kind: 'accepted', position, expectedWaitMs };
  }

  #queue(submission: Submission, context: Context): SubmitReply | undefined {
    const { core, forget, now, perform, works } = this.#parts;
    const { jobId } = submission.submit;
    const header = headerOfSubmit(submission.submit, now());
    const effects = core.step(
      { kind: 'job_stored', header, sequence: 0, arrival: 'submitted' },
      now(),
    );
    const state = core.stateOf(jobId);
    const refused = state?.kind === 'failing' ? state : undefined;
    if (refused === undefined) works.set(jobId, workOfSubmit(submission, context));
    // Of a job that was refused nothing is known here: what was to be done for it is left out.
    for (const effect of effects) perform(effect);
    if (refused === undefined) return undefined;
    forget(jobId);
    return refusal(refusalCode(refused.code), refused.refused);
  }
}
