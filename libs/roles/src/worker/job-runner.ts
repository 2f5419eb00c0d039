/** Runs a claimed job: its body from `JOBS`, its answer from the provider, its frames to its owner. */

import type { FirstToken, JobFinish } from '@starling/balance';
import type { Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type ErrorCode,
  type JobOutcome,
  ownerOfOrigin,
  type Result,
  type WorkerId,
} from '@starling/contracts';
import type { Provider } from '@starling/llm';
import { counter, injectHeaders, type RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import { type Answer, answerJob } from './answer-job.ts';
import { FrameSender } from './frame-sender.ts';
import { type AskedJob, bodyOf } from './run-body.ts';
import type { WorkerRun } from './worker-run.ts';

export interface JobRunnerParts {
  readonly messaging: Messaging;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly provider: Provider;
  readonly telemetry: RoleTelemetry;
  readonly workerId: WorkerId;
  readonly coalesceMs: number;
  readonly onFirstToken: (token: FirstToken) => void;
}

/** Failures that the provider is to blame for: they count against this worker's health. */
const providerFaults: ReadonlySet<ErrorCode> = new Set([
  'provider_unavailable',
  'provider_timeout',
  'provider_limited',
  'answer_cut',
]);
/** Of text without a count, so many characters are taken for one LLM token. */
const charactersPerToken = 4;

/** As many as balancers drive: the last one's failure is told with what was shown. */
const maxAttempts = 3;
/** Nothing is answered in less. */
const leastAttemptMs = 2_000;

const restarted = counter('starling.llm.answers_restarted');
const jobsEnded = counter('starling.jobs.ended');
const callsSaved = counter('starling.llm.calls_saved');

/** Runs until the answer, the failure, the deadline or the stop; `run.result` stays absent when it is let go of. */
export async function runJob(
  parts: JobRunnerParts,
  run: WorkerRun,
  attempt: number,
): Promise<JobFinish> {
  try {
    return await runToEnd(parts, run, attempt);
  } finally {
    // One that could not even be read gives up its place at a call, too.
    run.seat?.leave();
  }
}

async function runToEnd(
  parts: JobRunnerParts,
  run: WorkerRun,
  attempt: number,
): Promise<JobFinish> {
  const { clock, messaging, telemetry } = parts;
  const body = await bodyOf(parts, run);
  if (body.kind === 'none') return letGo;
  const { job } = body;
  const headers = telemetry.run(() => injectHeaders(), run.context);
  const ownerId = ownerOfOrigin(job.origin);
  const stream = { jobId: job.jobId, attempt, ownerId, headers };
  const { coalesceMs } = parts;
  const frames = new FrameSender({ messaging, clock, coalesceMs }, stream);
  run.frames = frames;
  if (body.kind === 'unreadable') {
    const outcome = { kind: 'failed', code: 'internal', partialText: '' } as const;
    const answer = { outcome, llmMs: 0, firstTokenMs: undefined };
    run.result = resultOf({ job, run, answer, attempt, workerId: parts.workerId });
    return letGo;
  }
  run.job = body.job;
  const { signal } = run.stop;
  const { context: parent, seat } = run;
  const asked = { job: body.job, attempt, frames, seat, signal, parent };
  const answer = await answerJob(parts, asked);
  frames[Symbol.dispose]();
  if (answer.kind === 'left') return letGo;
  const { outcome } = answer;
  if (isCurable(run, answer, attempt, clock.nowMs())) {
    restarted.add(1);
    const log = telemetry.log('worker');
    telemetry.run(() => log.info('answer.restarted', { jobId: job.jobId, attempt }), run.context);
    // Without a result it is let go of: the next attempt begins at once, and its text replaces this one's.
    return finishOf(answer);
  }
  jobsEnded.add(1, { role: 'worker', ending: outcome.kind === 'done' ? 'done' : outcome.code });
  if (outcome.kind === 'done' && answer.shared) callsSaved.add(1);
  run.result = resultOf({ job, run, answer, attempt, workerId: parts.workerId });
  return finishOf(answer);
}

/**
 * Whether an answer that broke off after its first text is worth another attempt: where what was shown can be
 * replaced, and while there are attempts and time for it.
 */
function isCurable(
  run: WorkerRun,
  { outcome }: Extract<Answer, { kind: 'ended' }>,
  attempt: number,
  nowMs: number,
): boolean {
  if (outcome.kind !== 'failed' || outcome.code !== 'answer_cut') return false;
  if (outcome.partialText === '' || run.request.work.kind !== 'stored') return false;
  const { job } = run;
  if (job?.origin.kind !== 'discord' || run.stop.signal.aborted) return false;
  return attempt < maxAttempts && nowMs + leastAttemptMs < job.deadlineAtMs;
}

const letGo: JobFinish = { outcome: 'failed', tokens: 0, failed: false };

function resultOf(of: {
  readonly job: AskedJob;
  readonly run: WorkerRun;
  readonly answer: Pick<Extract<Answer, { kind: 'ended' }>, 'outcome' | 'llmMs' | 'firstTokenMs'>;
  readonly attempt: number;
  readonly workerId: WorkerId;
}): Result {
  const { answer, attempt, job, run, workerId } = of;
  const { dequeuedAtMs, dispatchedBy } = run.request;
  const { firstTokenMs, llmMs, outcome } = answer;
  return {
    jobId: job.jobId,
    attempt,
    origin: job.origin,
    acceptedAtMs: job.acceptedAtMs,
    outcome,
    timings: {
      // The clocks of two hosts may differ by more than the time between them.
      queueMs: Math.max(0, dequeuedAtMs - job.acceptedAtMs),
      dispatchMs: Math.max(0, run.takenAtMs - dequeuedAtMs),
      llmMs,
      ...(firstTokenMs !== undefined && { firstTokenMs }),
    },
    dispatchedBy,
    servedBy: workerId,
  };
}

function finishOf(answer: Extract<Answer, { kind: 'ended' }>): JobFinish {
  const { firstTokenMs, followed, outcome, shared } = answer;
  const failed = outcome.kind === 'failed' && providerFaults.has(outcome.code);
  const tokens = shared ? 0 : tokensOf(outcome);
  // How soon it could read what was there says nothing about the provider.
  const first = firstTokenMs === undefined || followed ? {} : { firstTokenMs };
  if (outcome.kind === 'done') return { outcome: 'done', tokens, failed, ...first };
  const kind = outcome.code === 'cancelled' ? 'cancelled' : 'failed';
  return { outcome: kind, tokens, failed, ...first };
}

/** What the fleet's fairness counts for it: LLM tokens, prompt and completion together. */
function tokensOf(outcome: JobOutcome): number {
  if (outcome.kind === 'failed') return Math.ceil(outcome.partialText.length / charactersPerToken);
  const { completionTokens, promptTokens } = outcome.usage;
  return promptTokens + completionTokens;
}
