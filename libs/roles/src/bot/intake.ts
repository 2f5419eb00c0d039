/**
 * The way in: a dispatch of the gateway becomes a job that the fleet has promised to answer, or a
 * calm refusal. Receive, route, context, admit, publish.
 */
import { type Context, type IncomingMessage, type Route, route } from '@starling/chat';
import {
  headerNames,
  type Job,
  type JobId,
  jobId,
  type QueuePlace,
  type RefusalCode,
} from '@starling/contracts';
import { decodeMessage } from '@starling/discord';
import { type AdmissionRefusal, acceptJob, callKeyOf } from '@starling/jobs';
import {
  activeContext,
  attributeNames,
  contextWithIds,
  counter,
  injectHeaders,
  type Logger,
  type RoleTelemetry,
  runIn,
  SpanKind,
} from '@starling/telemetry';
import type { AnswerBook } from './answer-book.ts';
import type { AnswerPosts } from './answer-posts.ts';
import type { BotParts } from './bot-parts.ts';
import { correlationIdFor } from './correlation.ts';
import { gatherContext } from './gather-context.ts';
import type { OpenAnswer } from './open-answer.ts';
import type { Quarantine } from './quarantine.ts';
import type { Question } from './question.ts';
import type { PromptToAsk, RecentQuestions } from './recent-questions.ts';

export interface IntakeParts extends BotParts {
  readonly book: AnswerBook;
  readonly logger: Logger;
  readonly telemetry: RoleTelemetry;
  readonly quarantine: Quarantine;
  readonly recent: RecentQuestions;
  readonly openAnswer: (question: Question) => OpenAnswer;
  readonly posts: AnswerPosts;
  /** Goes on with a job that an earlier process accepted. `stored`: its place in `JOBS`. */
  readonly adopt: (jobId: JobId, stored: number) => Promise<void>;
  /** Stops a job that was accepted although its question is gone. */
  readonly cancel: (question: Question) => void;
}

const leftOut = counter('starling.bot.left_out');

type Addressed = Exclude<Route, { kind: 'ignored' }>;

/** Told when a cluster is at its bound of open answers: they free up within seconds. */
const busyRetryMs = 10_000;

/**
 * Open answers, in bounds of `answersPerCluster`, beyond which a question is left without a word: a
 * refusal is a call to Discord too, and a flood of them would keep the answers waiting.
 */
const leftOutBeyond = 2;

/** Beyond deadline and grace a hold lives this long, should its process have died. */
const holdSlackMs = 10_000;

/** Handles one MESSAGE_CREATE; resolves when the message is dropped, or its question has ended. */
export async function takeIn(data: unknown, parts: IntakeParts): Promise<void> {
  const { book, clock, config, gateway, quarantine, telemetry } = parts;
  const receivedAtMs = clock.monotonicMs();
  const message = decodeMessage(data);
  if (!message) {
    quarantine('gateway', { kind: 'invalid' });
    return;
  }
  const { self } = gateway;
  if (self === undefined) return;
  if (message.author.id === self) {
    if (message.nonce !== undefined) parts.posts.posted(message.nonce, message.id);
    return;
  }
  const decodedAtMs = clock.monotonicMs();
  const routed = route(message, {
    self,
    maxTextLength: config.maxTextLength,
    budgetMs: config.routeBudgetMs,
    monotonicMs: () => clock.monotonicMs(),
  });
  if (routed.kind === 'ignored') return;
  const routedAtMs = clock.monotonicMs();
  const id = jobId.parse(message.id);
  // The gateway replays what it is not sure we have seen.
  if (book.answer(id) || book.past(id)) return;
  if (book.openCount >= leftOutBeyond * config.answersPerCluster) {
    leftOut.add(1);
    return;
  }

  const { channelId, guildId, author } = message;
  await telemetry.withSpan(
    'message',
    { root: true, kind: SpanKind.CONSUMER, attributes: { [attributeNames.jobId]: id } },
    () => {
      const ids = { guildId, userId: author.id, messageId: message.id };
      const context = contextWithIds(ids, activeContext());
      return runIn(context, async () => {
        const timeline = telemetry.timeline(clock);
        const endMs = clock.nowMs();
        const decodedMs = endMs - (routedAtMs - decodedAtMs);
        timeline.record('receive', {
          startMs: decodedMs - (decodedAtMs - receivedAtMs),
          endMs: decodedMs,
        });
        timeline.record('route', { startMs: decodedMs, endMs });
        const question: Question = {
          jobId: id,
          origin: {
            kind: 'discord',
            clusterId: parts.clusterId,
            ...(guildId && { guildId }),
            channelId,
            messageId: message.id,
            userId: author.id,
          },
          correlationId: correlationIdFor(parts.random),
          context,
          timeline,
          receivedAtMs,
          ...(routed.kind === 'addressed' && {
            asked: { text: routed.text, speakerName: author.name },
          }),
        };
        await ask({ message, question, route: routed, self }, parts);
      });
    },
  );
}

async function ask(
  asked: {
    readonly message: IncomingMessage;
    readonly question: Question;
    readonly route: Addressed;
    readonly self: IncomingMessage['author']['id'];
  },
  parts: IntakeParts,
): Promise<void> {
  const { book, clock, config, logger } = parts;
  const { question, route: routed } = asked;
  const { channelId } = question.origin;
  const owner = { jobId: question.jobId, channelId, ...ownerOf(question.origin) };
  const isFull = book.openCount >= config.answersPerCluster;
  const answer = parts.openAnswer(question);
  const refuse = (code: RefusalCode, when: { retryAtMs?: number; placeBefore?: QueuePlace } = {}) =>
    answer.fail({ kind: 'refused', code, settled: true, ...when });

  if (routed.kind === 'refused') return refuse(routed.code);
  if (isFull) return refuse('too_busy', { retryAtMs: clock.nowMs() + busyRetryMs });
  answer.type();
  try {
    const job = await prepare({ ...asked, route: routed }, parts);
    if (answer.over) {
      // It ended before its place was taken, so that nobody else will give it back.
      if ('job' in job) await parts.admission.release(owner);
      return;
    }
    if ('code' in job) {
      const { code, retryAtMs } = job;
      const waits = code === 'user_busy' || code === 'too_busy';
      const placeBefore = waits ? book.placeBefore(question.origin, code) : undefined;
      return await refuse(code, { retryAtMs, ...(placeBefore && { placeBefore }) });
    }
    const acceptance = await acceptJob(job.job, {
      store: parts.jobs.store,
      clock,
      tokenEstimate: job.tokenEstimate,
      headers: injectHeaders({ [headerNames.correlationId]: question.correlationId }),
      retryForMs: config.acceptRetryMs,
    });
    if (answer.over) return parts.cancel(question);
    if (acceptance.kind === 'refused') {
      logger.warn('job.refused', { code: acceptance.code, error: acceptance.cause });
      const { code, maybeStored } = acceptance;
      // Its answer, if it runs after all, replaces the refusal.
      return await answer.fail({ kind: 'refused', code, settled: !maybeStored });
    }
    if (acceptance.duplicate) {
      // An earlier process accepted it; it may even have been delivered since.
      logger.info('job.accepted_before');
      answer[Symbol.dispose]();
      book.close(question.jobId);
      // A hold that the earlier process has not given back stays: whoever delivers gives it back.
      if (!job.held) await parts.admission.release(owner);
      await parts.adopt(question.jobId, acceptance.sequence);
      return;
    }
    const forMs = job.job.deadlineAtMs - clock.nowMs() + config.resultGraceMs;
    answer.expect({ stored: acceptance.sequence, forMs });
    // The span of the message lasts as long as its answer.
    await answer.whenOver;
  } catch (error) {
    logger.error('intake.failed', { error });
    await answer.fail({ kind: 'failed', code: 'internal', settled: true });
  }
}

type Prepared =
  | {
      readonly job: Job;
      readonly tokenEstimate: number;
      /** Its place was taken before, by a process that saw the question first. */
      readonly held: boolean;
    }
  | AdmissionRefusal;

/** The job of a question, admitted; or why it is not. */
async function prepare(
  asked: {
    readonly message: IncomingMessage;
    readonly question: Question;
    readonly route: Extract<Route, { kind: 'addressed' }>;
    readonly self: IncomingMessage['author']['id'];
  },
  parts: IntakeParts,
): Promise<Prepared> {
  const { admission, clock, config } = parts;
  const { message, question } = asked;
  const { timeline, origin } = question;
  const own = await timeline.run('context', () => gatherContext(asked, parts));
  const { callKey, context } = promptFor(asked, own, parts);
  const tokenEstimate = context.estimatedTokens + config.maxCompletionTokens;
  const holdMs = config.jobDeadlineMs + config.resultGraceMs + holdSlackMs;
  const decision = await timeline.run('admit', () =>
    admission.admit(
      {
        ...{ jobId: question.jobId, channelId: origin.channelId, ...ownerOf(origin) },
        ...(message.roles && { roles: message.roles }),
      },
      { holdMs, tokens: tokenEstimate },
    ),
  );
  if (decision.kind === 'refused') return decision;
  const acceptedAtMs = clock.nowMs();
  const job: Job = {
    jobId: question.jobId,
    lane: asked.route.scope === 'dm' ? 'dm' : 'interactive',
    origin,
    messages: [...context.messages],
    maxCompletionTokens: config.maxCompletionTokens,
    ...(callKey !== undefined && { callKey }),
    acceptedAtMs,
    deadlineAtMs: acceptedAtMs + config.jobDeadlineMs,
  };
  return { job, tokenEstimate, held: decision.replay };
}

/** In a guild, what is anybody's question is asked with the key and the prompt of who asked it first. */
function promptFor(
  asked: { readonly message: IncomingMessage; readonly question: Question },
  own: Context,
  { config, recent }: Pick<IntakeParts, 'config' | 'recent'>,
): PromptToAsk {
  const { asked: said, jobId, origin } = asked.question;
  const { channelId, guildId, userId } = origin;
  if (!config.shareCalls || !own.isAnybodys || guildId === undefined || !said)
    return { context: own };
  const repliesTo = asked.message.repliedTo?.id;
  const { maxCompletionTokens } = config;
  const keyOf = ({ messages }: Context) =>
    callKeyOf({ messages: [...messages], maxCompletionTokens }, { kind: 'guild', guildId });
  return recent.prompt({ jobId, userId, channelId, repliesTo, text: said.text }, own, keyOf);
}

/** Whose place a question takes. */
export function ownerOf({ guildId, userId }: Question['origin']) {
  return { userId, ...(guildId && { guildId }) };
}
