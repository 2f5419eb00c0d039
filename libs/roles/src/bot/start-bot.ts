/**
 * The bot's role in one cluster: questions in, jobs out, frames and results back into the messages
 * that answer. It owns its subscriptions and its open answers, nothing else.
 */
import type { BusMessage } from '@starling/bus';
import {
  cancelContract,
  decode,
  encode,
  frameContract,
  jobId,
  type MessageId,
  subjects,
} from '@starling/contracts';
import { deletedMessages } from '@starling/discord';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import { telemetryFor } from '@starling/telemetry';
import { AnswerBook } from './answer-book.ts';
import type { BotParts } from './bot-parts.ts';
import { forgivingConversations } from './forgiving-conversations.ts';
import { type IntakeParts, ownerOf, takeIn } from './intake.ts';
import { type AnswerEnding, OpenAnswer, type Question } from './open-answer.ts';
import { createQuarantine } from './quarantine.ts';
import { reportEnding } from './report-ending.ts';
import { takeResult } from './take-result.ts';

/** What a bot is doing. */
export interface BotSnapshot {
  readonly openAnswers: number;
  /** Results that are being written to Discord right now. */
  readonly deliveries: number;
}

export interface Bot extends Drainable {
  readonly snapshot: BotSnapshot;
}

/** Results written to Discord at once; a further one is told to come again. */
const maxDeliveries = 200;

/** Starts the role; it takes questions as soon as this resolves. */
export async function startBot(parts: BotParts): Promise<Bot> {
  const { admission, bus, clock, clusterId, gateway } = parts;
  const telemetry = telemetryFor('bot');
  const logger = telemetry.log('answers');
  const conversations = forgivingConversations(parts.conversations, logger);
  const book = new AnswerBook();
  const quarantine = createQuarantine(logger);
  /** What still has to be stored of answers that ended. */
  const trailing = new Set<Promise<void>>();
  let deliveries = 0;

  const afterwards = (work: Promise<void>) => {
    const settled = work
      .catch((error: unknown) => logger.warn('ending.not_stored', { error }))
      .finally(() => trailing.delete(settled));
    trailing.add(settled);
  };

  const onEnd = (ended: AnswerEnding) => {
    const { ending, posted, question, settled } = ended;
    const { asked, origin } = question;
    book.close(question.jobId, { question, posted, settled });
    reportEnding(ended, { bus, clock, clusterId, logger });
    const owner = { jobId: question.jobId, ...ownerOf(origin) };
    afterwards(admission.release(owner));
    if (ending.answer === undefined || asked === undefined) return;
    const turn = {
      messageId: origin.messageId,
      speaker: { id: origin.userId, name: asked.speakerName },
      question: asked.text,
      answer: ending.answer,
    };
    afterwards(conversations.append(origin.channelId, turn));
  };

  const openAnswer = (question: Question, posted?: AnswerEnding['posted']) => {
    const answer = new OpenAnswer(
      question,
      {
        ...parts,
        logger,
        onEnd: (ended) => telemetry.run(() => onEnd(ended), question.context),
      },
      posted,
    );
    book.open(answer);
    return answer;
  };

  const cancel = ({ jobId: job }: Question) => {
    const payload = encode(cancelContract, { jobId: job, reason: 'message_deleted' });
    try {
      bus.messaging.publish(subjects.cancel(job), payload);
    } catch (error) {
      // The job then runs to its end, which finds its question gone.
      logger.warn('cancel.unpublished', { error });
    }
  };

  const onDeleted = (message: MessageId) => {
    const answer = book.answer(jobId.parse(message));
    if (!answer) return;
    cancel(answer.question);
    void answer.withdraw();
  };

  const onFrame = ({ payload }: BusMessage) => {
    const decoded = decode(frameContract, payload);
    if (decoded.ok) book.answer(decoded.value.jobId)?.onFrame(decoded.value);
    else quarantine('frame', decoded.fault);
  };

  const onResult = async (message: BusMessage) => {
    const isFull = deliveries >= maxDeliveries;
    deliveries += 1;
    try {
      const resultParts = { ...parts, book, telemetry, quarantine, openAnswer };
      await takeResult(message, resultParts, { isFull });
    } finally {
      deliveries -= 1;
    }
  };

  const intake: IntakeParts = {
    ...parts,
    ...{ conversations, book, logger, telemetry, quarantine, openAnswer, cancel },
  };
  await using opening = new AsyncDisposableStack();
  opening.use(await bus.messaging.subscribe(subjects.framesOf(clusterId), onFrame));
  // Twice the bound, so that those beyond it are answered at once instead of waiting unseen.
  const concurrency = 2 * maxDeliveries;
  opening.use(await bus.messaging.subscribe(subjects.result(clusterId), onResult, { concurrency }));
  opening.use(
    gateway.listen({
      message: (data) =>
        void telemetry
          .run(() => takeIn(data, intake))
          .catch((error: unknown) => logger.error('intake.failed', { error })),
      deleted: (data) => deletedMessages(data).forEach(onDeleted),
    }),
  );
  const open = opening.move();

  const drainable = createDrainable({
    async drain() {
      await gateway.close();
      await book.idle();
      while (trailing.size > 0) await Promise.all(trailing);
    },
    async release() {
      book.abandon();
      await open.disposeAsync();
    },
  });
  return {
    ...drainable,
    get snapshot() {
      return { openAnswers: book.openCount, deliveries };
    },
  };
}
