/**
 * The way back: a result is shown to its user, whichever process asked. The reply to the worker means
 * that the user has it, so it is given only then; until then the job stays in its queue.
 */
import type { BusMessage } from '@starling/bus';
import {
  type DiscordOrigin,
  decode,
  encode,
  type Result,
  type ResultReply,
  resultContract,
  resultReplyContract,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import type { AnswerBook } from './answer-book.ts';
import type { BotParts } from './bot-parts.ts';
import { correlationIdFor } from './correlation.ts';
import type { AnswerEnding, OpenAnswer, Question } from './open-answer.ts';
import type { Quarantine } from './quarantine.ts';

export interface ResultParts extends Pick<BotParts, 'clock' | 'gateway' | 'random'> {
  readonly book: AnswerBook;
  readonly telemetry: RoleTelemetry;
  readonly quarantine: Quarantine;
  readonly openAnswer: (question: Question, posted?: AnswerEnding['posted']) => OpenAnswer;
}

/** The result of a question that was asked in Discord. */
type OwnResult = Result & { readonly origin: DiscordOrigin };

/** Handles one request on `results.<cluster>`. What cannot be read gets no reply. */
export async function takeResult(
  message: BusMessage,
  parts: ResultParts,
  load: { readonly isFull: boolean },
): Promise<void> {
  const decoded = decode(resultContract, message.payload);
  if (!decoded.ok) {
    parts.quarantine('result', decoded.fault);
    return;
  }
  const { origin } = decoded.value;
  if (origin.kind !== 'discord') {
    parts.quarantine('result', { kind: 'invalid', problem: `origin: ${origin.kind}` });
    return;
  }
  const result = { ...decoded.value, origin };
  const kind = load.isFull ? 'busy' : await deliver(result, message, parts);
  message.respond(encode(resultReplyContract, { kind }));
}

/** The answer of a result is open, or ended too early, or belonged to a process before this one. */
async function deliver(
  result: OwnResult,
  message: BusMessage,
  parts: ResultParts,
): Promise<ResultReply['kind']> {
  const { book, gateway, openAnswer } = parts;
  const open = book.answer(result.jobId);
  if (open) return open.deliver(result);

  const past = book.past(result.jobId);
  if (past) {
    // A failure that comes late has nothing to add to the one that the user has read.
    if (past.settled || result.outcome.kind === 'failed') return 'delivered';
    return openAnswer(past.question, past.posted).deliver(result);
  }

  const { self } = gateway;
  if (self === undefined) return 'busy';
  const answer = openAnswer(questionOf(result, message, parts));
  const reply = await answer.deliver(result, { takeOverAs: self });
  if (reply === 'busy') {
    // When it comes again the channel is looked through again.
    answer[Symbol.dispose]();
    book.close(result.jobId);
  }
  return reply;
}

/** What is left of a question whose process is gone: its text and its first moment are not. */
function questionOf(result: OwnResult, message: BusMessage, parts: ResultParts): Question {
  const { clock, random, telemetry } = parts;
  const context = telemetry.contextFrom(message.headers);
  const ageMs = Math.max(0, clock.nowMs() - result.acceptedAtMs);
  return {
    jobId: result.jobId,
    origin: result.origin,
    correlationId: correlationIdFor(random, context),
    context,
    timeline: telemetry.timeline(clock),
    receivedAtMs: clock.monotonicMs() - ageMs,
  };
}
