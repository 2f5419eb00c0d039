import type { Clock, Random } from '@starling/clock';
import type { DiscordOrigin, Headers, JobId } from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import { correlationIdFor } from './correlation.ts';
import type { Question } from './question.ts';

export interface QuestionParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
}

/**
 * What is left of a question whose process is gone: its text and its first moment are not.
 * @param headers those of its job: they carry the trace
 */
export function questionOf(
  job: {
    readonly jobId: JobId;
    readonly origin: DiscordOrigin;
    readonly acceptedAtMs: number;
  },
  headers: Headers,
  parts: QuestionParts,
): Question {
  const { clock, random, telemetry } = parts;
  const { acceptedAtMs, jobId, origin } = job;
  const context = telemetry.contextFrom(headers);
  const ageMs = Math.max(0, clock.nowMs() - acceptedAtMs);
  return {
    ...{ jobId, origin, context },
    correlationId: correlationIdFor(random, context),
    timeline: telemetry.timeline(clock),
    receivedAtMs: clock.monotonicMs() - ageMs,
  };
}
