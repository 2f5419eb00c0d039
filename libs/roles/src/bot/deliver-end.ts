/**
 * The way back: the end of a job is read from the ledger and shown to its user, whichever process
 * asked. Only then is the job removed from `JOBS`: whoever finds it there delivers it once more, and
 * that shows nothing new.
 */
import type { DiscordOrigin, JobId, Result } from '@starling/contracts';
import type { AnswerBook } from './answer-book.ts';
import type { BotParts } from './bot-parts.ts';
import type { OpenAnswer } from './open-answer.ts';
import type { Quarantine } from './quarantine.ts';
import type { AnswerEnding, Question } from './question.ts';
import { type QuestionParts, questionOf } from './question-of.ts';

export interface DeliverParts extends QuestionParts, Pick<BotParts, 'jobs'> {
  readonly book: AnswerBook;
  readonly quarantine: Quarantine;
  readonly openAnswer: (question: Question, posted?: AnswerEnding['posted']) => OpenAnswer;
}

/** The result of a question that was asked in Discord. */
type OwnResult = Result & { readonly origin: DiscordOrigin };

/**
 * What came of it. `done`: the user has it and the job is removed. `unended`: there is no end yet.
 * `busy`: to be tried again.
 */
export type Delivery = 'done' | 'unended' | 'busy';

/**
 * Delivers the end of a job.
 * @param stored where it lies in `JOBS`
 * @throws {BusError} when a store does not answer: to be tried again
 */
export async function deliverEnd(
  parts: DeliverParts,
  jobId: JobId,
  stored: number,
): Promise<Delivery> {
  const { book, jobs, quarantine } = parts;
  if (!book.past(jobId)?.settled) {
    const read = await jobs.ledger.read(jobId);
    if (read.kind !== 'end') return 'unended';
    const { result } = read.end;
    const { origin } = result;
    if (origin.kind !== 'discord') {
      quarantine('result', { kind: 'invalid', problem: `origin: ${origin.kind}` });
      return 'unended';
    }
    if ((await show({ ...result, origin }, stored, parts)) === 'busy') return 'busy';
  }
  await jobs.store.remove(stored);
  return 'done';
}

/** The answer of a result is open, or ended too early, or belonged to a process before this one. */
async function show(
  result: OwnResult,
  stored: number,
  parts: DeliverParts,
): Promise<'delivered' | 'busy'> {
  const { book, jobs, openAnswer } = parts;
  const { jobId } = result;
  const open = book.answer(jobId);
  const past = book.past(jobId);
  // One that ended too early and was opened anew goes on in its own messages, as one of this process does.
  if (open && (open.accepted || past)) return open.deliver(result);
  if (past) {
    // A failure that comes late has nothing to add to the one that the user has read.
    if (past.settled || result.outcome.kind === 'failed') return 'delivered';
    return openAnswer(past.question, past.posted).deliver(result);
  }

  const message = await jobs.store.read(stored);
  // Somebody has delivered it in the meantime.
  if (!message) return 'delivered';
  // Meanwhile it may have been opened for what came before its end.
  const opened = book.answer(jobId);
  if (opened?.accepted) return opened.deliver(result);
  const answer = opened ?? openAnswer(questionOf(result, message.headers, parts));
  answer.inherit();
  const shown = await answer.deliver(result);
  if (shown === 'busy') {
    // It comes again; nothing else may end it meanwhile.
    answer[Symbol.dispose]();
    book.close(jobId);
  }
  return shown;
}
