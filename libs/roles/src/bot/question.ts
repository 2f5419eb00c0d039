import type {
  CorrelationId,
  DiscordOrigin,
  JobId,
  MessageId,
  Result,
  UserId,
} from '@starling/contracts';
import type { PostedPart } from '@starling/discord';
import type { Context, PhaseTimeline } from '@starling/telemetry';
import type { Ending } from './ending.ts';
import type { AnswerEnd } from './live-answer.ts';

/** What an answer is about. */
export interface Question {
  readonly jobId: JobId;
  readonly origin: DiscordOrigin;
  readonly correlationId: CorrelationId;
  readonly context: Context;
  readonly timeline: PhaseTimeline;
  /** Monotonic milliseconds of Discord's event, as far as this process knows. */
  readonly receivedAtMs: number;
  /** Who asked what; unknown to a process that only took over the result. */
  readonly asked?: { readonly text: string; readonly speakerName: string };
}

/** How it ended, for the report, the conversation and the bounds. */
export interface AnswerEnding {
  readonly question: Question;
  readonly ending: Ending;
  readonly end: AnswerEnd;
  readonly result?: Result;
  readonly posted: readonly PostedPart[];
  readonly posts: number;
  readonly edits: number;
  /** Milliseconds from Discord's event to the first visible text of an answer. */
  readonly firstTextMs?: number;
  /** False when a result that comes later should still replace what stands there. */
  readonly settled: boolean;
}

/** What is needed to go on with an answer of an earlier process. */
export interface TakeOver {
  /** Our own account. */
  readonly self: UserId;
  /** The messages that it recorded, from the first on. */
  readonly recorded: readonly MessageId[];
}
