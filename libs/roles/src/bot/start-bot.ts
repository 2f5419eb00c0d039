/**
 * The bot's role in one cluster: questions in, jobs out, frames and results back into the messages
 * that answer. It owns its subscriptions and its open answers, nothing else.
 */
import type { BusMessage } from '@starling/bus';
import {
  type Cancel,
  cancelContract,
  decode,
  encode,
  frameContract,
  type JobId,
  jobId,
  type MessageId,
  type Resend,
  resendContract,
  subjects,
  wakeContract,
} from '@starling/contracts';
import { deletedMessages } from '@starling/discord';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import { telemetryFor } from '@starling/telemetry';
import { publisherOf } from '../delivery/publisher.ts';
import { Adoption } from './adoption.ts';
import { AnswerBook } from './answer-book.ts';
import { AnswerPosts } from './answer-posts.ts';
import type { BotParts } from './bot-parts.ts';
import { Deliveries } from './deliveries.ts';
import { forgivingConversations } from './forgiving-conversations.ts';
import { type IntakeParts, ownerOf, takeIn } from './intake.ts';
import { OpenAnswer } from './open-answer.ts';
import { Outlooks } from './outlooks.ts';
import { Presses } from './presses.ts';
import { createQuarantine } from './quarantine.ts';
import type { AnswerEnding, Question } from './question.ts';
import { RecentQuestions } from './recent-questions.ts';
import { reportEnding } from './report-ending.ts';
import { tokensOf } from './tokens-of.ts';
import { watchSilence } from './watch-silence.ts';

/** What a bot is doing. */
export interface BotSnapshot {
  readonly openAnswers: number;
  /** Ends that are being written to Discord right now. */
  readonly deliveries: number;
}

export interface Bot extends Drainable {
  readonly snapshot: BotSnapshot;
}

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
  const { callKeptMs: keptMs, jobDeadlineMs, resultGraceMs } = parts.config;
  const maxAgeMs = jobDeadlineMs + resultGraceMs;
  const recent = new RecentQuestions({ clock, keptMs, maxAgeMs });
  const posts = new AnswerPosts({ posts: parts.jobs.ledger.posts, logger });

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
    const asker = { ...owner, channelId: origin.channelId };
    afterwards(admission.release(asker, { tokens: tokensOf(ended) }));
    const { report } = ending;
    recent.ended(question.jobId, report.kind === 'answered');
    if (ending.answer === undefined || asked === undefined) return;
    // What several were answered at once the conversation remembers once.
    if (report.kind === 'answered' && report.shared) return;
    const turn = {
      messageId: origin.messageId,
      speaker: { id: origin.userId, name: asked.speakerName },
      question: asked.text,
      answer: ending.answer,
    };
    afterwards(conversations.append(origin.channelId, turn));
  };

  const publish = publisherOf(bus.messaging, logger);

  const askAgain = (missing: Resend) =>
    publish(subjects.resend(missing.jobId), encode(resendContract, missing));

  const openAnswer = (question: Question, posted?: AnswerEnding['posted']) => {
    const answer = new OpenAnswer(
      question,
      {
        ...parts,
        ...{ logger, posts, askAgain },
        onEnd: (ended) => telemetry.run(() => onEnd(ended), question.context),
      },
      posted,
    );
    book.open(answer);
    return answer;
  };

  const cancel = (job: JobId, reason: Cancel['reason']) =>
    publish(subjects.cancel(job), encode(cancelContract, { jobId: job, reason }));
  const onGone = ({ jobId: job }: Question) => cancel(job, 'message_deleted');

  const deliveries = new Deliveries({
    ...parts,
    ...{ book, logger, posts, telemetry, quarantine, openAnswer },
  });

  const onFrame = ({ payload }: BusMessage) => {
    const decoded = decode(frameContract, payload);
    if (!decoded.ok) {
      quarantine('frame', decoded.fault);
      return;
    }
    const { end, jobId: job } = decoded.value;
    if (end) deliveries.look(job, end.stored);
    else book.answer(job)?.onFrame(decoded.value);
  };

  const outlooks = new Outlooks({ book, quarantine });
  const onWake = ({ payload }: BusMessage) => {
    const decoded = decode(wakeContract, payload);
    if (decoded.ok) deliveries.look(decoded.value.jobId, decoded.value.stored);
    else quarantine('wake', decoded.fault);
  };

  const intake: IntakeParts = {
    ...parts,
    ...{ conversations, book, logger, posts, telemetry, quarantine, recent, openAnswer },
    cancel: onGone,
    adopt: (job, stored) => adoption.adopt(job, stored),
  };
  const presses = new Presses({
    ...parts,
    ...{ book, logger, telemetry, quarantine },
    cancel: (job) => cancel(job, 'user'),
  });
  await using opening = new AsyncDisposableStack();
  opening.use(await bus.messaging.subscribe(subjects.framesOf(clusterId), onFrame));
  opening.use(await bus.messaging.subscribe(subjects.wake(clusterId), onWake));
  opening.use(
    await bus.messaging.subscribe(subjects.outlook(clusterId), ({ payload }) =>
      outlooks.hear(payload),
    ),
  );
  opening.use(watchSilence({ ...parts, book, deliveries }));
  const adoption = opening.use(
    new Adoption({
      ...parts,
      ...{ book, deliveries, logger, openAnswer, posts, telemetry },
      cancel: (job) => cancel(job, 'message_deleted'),
    }),
  );
  const onDeleted = (message: MessageId) => {
    const job = jobId.parse(message);
    const answer = book.answer(job);
    if (!answer) return adoption.onDeleted(job);
    onGone(answer.question);
    void answer.withdraw();
  };
  opening.use(
    gateway.listen({
      message: (data) =>
        void telemetry
          .run(() => takeIn(data, intake))
          .catch((error: unknown) => logger.error('intake.failed', { error })),
      deleted: (data) => deletedMessages(data).forEach(onDeleted),
      interaction: (data) =>
        void telemetry
          .run(() => presses.take(data))
          .catch((error: unknown) => logger.error('press.failed', { error })),
    }),
  );
  const open = opening.move();

  const drainable = createDrainable({
    async drain() {
      await gateway.close();
      await book.idle();
      await deliveries.settle();
      while (trailing.size > 0) await Promise.all(trailing);
    },
    async release() {
      book.abandon();
      await deliveries.settle();
      await open.disposeAsync();
    },
  });
  return {
    ...drainable,
    get snapshot() {
      return { openAnswers: book.openCount, deliveries: deliveries.active };
    },
  };
}
