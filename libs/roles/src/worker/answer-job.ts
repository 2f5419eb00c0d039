/** Runs one job at the provider: the `llm` phase, from the first byte sent to the last token. */
import type { FirstToken } from '@starling/balance';
import { type Clock, deadlineAfter } from '@starling/clock';
import type { ErrorCode, Job, JobOutcome, Usage } from '@starling/contracts';
import type { CallOptions, Provider, RungCall } from '@starling/llm';
import {
  attributeNames,
  type Context,
  genAiNames,
  type RoleTelemetry,
  type Span,
  SpanKind,
  spanEventNames,
} from '@starling/telemetry';
import type { FrameSender } from './frame-sender.ts';
import type { Seat } from './shared-call.ts';

export interface AnswerParts {
  readonly clock: Clock;
  readonly provider: Provider;
  readonly telemetry: RoleTelemetry;
  /** The provider began to answer a call of ours. */
  readonly onFirstToken: (token: FirstToken) => void;
}

/** One run of a job. */
export interface JobRun {
  readonly job: Job;
  readonly attempt: number;
  /** Takes the text as it comes. */
  readonly frames: FrameSender;
  /** Its place at a call that others may read too; absent: it calls for itself. */
  readonly seat?: Seat | undefined;
  readonly signal: AbortSignal;
  readonly parent: Context;
}

/** Why a run is stopped from outside; the reason of its AbortSignal. `left`: another worker takes it. */
export type StopReason = 'cancelled' | 'left';

/** How a job's run ended. `left`: it is let go of, and nobody is to be told anything. */
export type Answer =
  | {
      readonly kind: 'ended';
      readonly outcome: JobOutcome;
      readonly llmMs: number;
      readonly firstTokenMs: number | undefined;
      /** It was another job that called the provider. */
      readonly followed: boolean;
      /** The call's usage is counted for another job. */
      readonly shared: boolean;
    }
  | { readonly kind: 'left' };

/** Ends the `llm` phase as failed; its code and detail stand on the span. */
class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail: string, retryAfterMs?: number) {
    super(detail);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a trace tells of the rungs that were dialled for an answer. */
function tellRung(span: Span, call: RungCall, count: number): void {
  const { as, ended, fault, key, model, ms, provider } = call;
  const rung = `${provider}/${model}${key === '' ? '' : ` (${key})`}`;
  span.setAttribute(attributeNames.llmCalls, count);
  span.setAttribute(attributeNames.llmRung, rung);
  span.setAttribute(attributeNames.llmRungAs, as);
  if (ended !== 'failed') return;
  span.addEvent(spanEventNames.rungFailed, {
    ...{ [attributeNames.llmRung]: rung, [attributeNames.llmRungAs]: as, ms: Math.round(ms) },
    [attributeNames.errorDetail]: fault?.detail ?? 'unknown',
  });
}

/** Runs the job until its answer, its failure, its deadline or the signal. Never rejects. */
export async function answerJob(parts: AnswerParts, run: JobRun): Promise<Answer> {
  const { clock, telemetry, provider } = parts;
  const { job, attempt, frames, seat } = run;
  using deadline = deadlineAfter(clock, job.deadlineAtMs - clock.nowMs());
  const timeline = telemetry.timeline(clock);
  const startedAtMs = clock.monotonicMs();
  // A caller that waits for the whole answer reads the result only.
  const wantsFrames = job.origin.kind === 'discord' || job.origin.stream;
  let text = '';
  let firstTokenMs: number | undefined;
  let calledAtMs = startedAtMs;

  const isShared = () => seat !== undefined && !seat.pays;

  const stream = async (span: Span): Promise<JobOutcome> => {
    let rungCalls = 0;
    let asked = job.model ?? provider.defaultModel;
    let usage: Usage = { promptTokens: 0, completionTokens: 0, estimated: true };
    const options: CallOptions = {
      signal: AbortSignal.any([run.signal, deadline.signal]),
      deadlineAtMs: job.deadlineAtMs,
      attempt,
      // Whoever writes a direct message watches for the answer.
      hedge: job.lane === 'dm',
      whole: !wantsFrames,
      // What it waited for before says nothing about the provider, either.
      onCalled: () => {
        calledAtMs = clock.monotonicMs();
      },
      onRetry: ({ fault, delayMs, retry }) => {
        span.setAttribute(attributeNames.llmRetries, retry);
        telemetry.log('llm').warn('llm.retry', { jobId: job.jobId, ...fault, delayMs, retry });
      },
      onChoice: ({ model, rule, size }) => {
        asked = model;
        span.setAttribute(genAiNames.requestModel, model);
        span.setAttribute(attributeNames.llmChoice, `${size}: ${rule}`);
      },
      onRungCall: (call) => tellRung(span, call, ++rungCalls),
    };
    const answer = seat
      ? seat.read(job, { ...options, span: span.spanContext() })
      : provider.stream(job, options);
    if (seat?.calledBy) span.addLink({ context: seat.calledBy });
    for await (const part of answer) {
      switch (part.kind) {
        case 'text':
          // Of an answer that came in one piece only its end is known.
          if (firstTokenMs === undefined && wantsFrames) {
            firstTokenMs = clock.monotonicMs() - startedAtMs;
            span.setAttribute(genAiNames.timeToFirstChunk, firstTokenMs / 1000);
            // How soon it could read what another job's call brought says nothing about the provider.
            if (seat?.calledBy === undefined) {
              parts.onFirstToken({ model: asked, afterMs: clock.monotonicMs() - calledAtMs });
            }
          }
          text += part.text;
          if (wantsFrames) frames.push(part.text);
          break;
        case 'reasoning':
          break;
        case 'usage':
          usage = part.usage;
          // Whoever adds up the spans counts each call once.
          if (isShared()) break;
          span.setAttribute(genAiNames.inputTokens, usage.promptTokens);
          span.setAttribute(genAiNames.outputTokens, usage.completionTokens);
          if (usage.estimated) span.setAttribute(attributeNames.llmUsageEstimated, true);
          break;
        case 'finish':
          frames.flush();
          span.setAttribute(genAiNames.responseModel, part.model);
          if (part.provider) span.setAttribute(genAiNames.provider, part.provider);
          span.setAttribute(genAiNames.finishReasons, [part.reason]);
          span.setAttribute(attributeNames.frames, frames.sent);
          if (isShared()) span.setAttribute(attributeNames.shared, true);
          else if (part.costUsd !== undefined) {
            span.setAttribute(attributeNames.llmCost, part.costUsd);
            if (part.savedUsd !== undefined) {
              span.setAttribute(attributeNames.llmCostSaved, part.savedUsd);
            }
          }
          return {
            kind: 'done',
            text,
            model: part.model,
            finishReason: part.reason,
            usage,
            ...(isShared() && { shared: true }),
            frames: frames.sent,
          };
        case 'error':
          frames.flush();
          span.setAttribute(attributeNames.frames, frames.sent);
          span.setAttribute(attributeNames.errorDetail, part.fault.detail);
          throw new JobFailure(
            deadline.signal.aborted && !run.signal.aborted ? 'deadline_exceeded' : part.fault.code,
            part.fault.detail,
            part.fault.retryAfterMs,
          );
      }
    }
    throw new JobFailure('internal', 'the stream had no ending');
  };

  let outcome: JobOutcome;
  try {
    outcome = await timeline.run('llm', stream, {
      parent: run.parent,
      kind: SpanKind.CLIENT,
      attributes: {
        [attributeNames.jobId]: job.jobId,
        [attributeNames.attempt]: attempt,
        [genAiNames.operation]: 'chat',
        [genAiNames.provider]: provider.name,
        [genAiNames.requestModel]: job.model ?? provider.defaultModel,
        [genAiNames.maxTokens]: job.maxCompletionTokens,
        [genAiNames.stream]: wantsFrames,
      },
    });
  } catch (error) {
    if (run.signal.aborted && run.signal.reason === ('left' satisfies StopReason)) {
      return { kind: 'left' };
    }
    const code = error instanceof JobFailure ? error.code : 'internal';
    const cause = error instanceof JobFailure ? { detail: error.message } : { error };
    const log = telemetry.log('llm');
    const tell = code === 'cancelled' ? log.info : log.warn;
    telemetry.run(() => tell('llm.failed', { jobId: job.jobId, code, ...cause }), run.parent);
    const retryAfterMs = error instanceof JobFailure ? error.retryAfterMs : undefined;
    outcome = {
      ...{ kind: 'failed', code, partialText: text },
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
  const llmMs = timeline.times.llm ?? 0;
  const followed = seat?.calledBy !== undefined;
  return { kind: 'ended', outcome, llmMs, firstTokenMs, followed, shared: isShared() };
}
