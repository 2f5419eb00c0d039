/** The desk for ephemeral jobs: an ingress hands one in and is told at once whether it is queued. */
import type { QueuedJob, Refused } from '@starling/balance';
import type { ErrorCode, Submit, SubmitReply } from '@starling/contracts';
import { callerFlow } from '@starling/jobs';
import type { Context } from '@starling/telemetry';
import type { QueuedWork } from './queued-work.ts';

/** What an ingress handed in. */
export interface Submission {
  readonly submit: Submit;
  /** The job by its contract, unread. */
  readonly job: Uint8Array;
}

type RefusalCode = Extract<SubmitReply, { kind: 'refused' }>['code'];

/** When to try again where nobody can tell: jobs start several times a second, or not at all. */
const defaultRetryMs = 1_000;

/** A submitted job as fairness sees it: callers share the fleet as guilds do. */
export function headerOfSubmit(submit: Submit, nowMs: number): QueuedJob {
  const { callKey, deadlineAtMs, jobId, lane, model, origin, tokenEstimate } = submit;
  return {
    ...{ jobId, lane, tokenEstimate, deadlineAtMs, acceptedAtMs: nowMs },
    ...callerFlow(origin.caller),
    ...(model !== undefined && { model }),
    ...(callKey !== undefined && { callKey }),
  };
}

/** A submitted job as the shell keeps it. */
export function workOfSubmit({ job, submit }: Submission, context: Context): QueuedWork {
  const { acceptedAtMs, jobId, lane, origin } = submit;
  return {
    ...{ jobId, lane, context, waitingSinceMs: acceptedAtMs },
    owner: origin.ingressId,
    body: { kind: 'inline', submit, job },
  };
}

/**
 * A refusal and when to ask again, where waiting helps.
 * @param known where the job would have stood, and when there is likely to be room for it
 */
export function refusal(
  code: RefusalCode,
  { place, retryMs = defaultRetryMs }: Partial<Omit<Refused, 'code'>> = {},
): SubmitReply {
  const helps = code === 'too_busy' || code === 'user_busy' || code === 'no_worker';
  const retryAfterMs = helps ? retryMs : 0;
  return { kind: 'refused', code, retryAfterMs, ...(place && { place }) };
}

/** Why the core would not queue it, in the words for an ingress. */
export function refusalCode(code: ErrorCode): RefusalCode {
  return code === 'user_busy' || code === 'deadline_exceeded' ? code : 'too_busy';
}
