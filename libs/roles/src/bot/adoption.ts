/**
 * Answers that an earlier process of this cluster accepted and did not deliver. They are looked for
 * once, in the headers of `JOBS`: what has ended is delivered; what runs or waits is opened as if this
 * process had been asked, so that it types, shows frames, and ends by its Stop or its deadline.
 */
import { type ClusterId, discordOrigin, type Headers, type JobId } from '@starling/contracts';
import { readStoredJob, type StoredJob } from '@starling/jobs';
import type { Logger } from '@starling/telemetry';
import { RecentIds } from '../delivery/recent-ids.ts';
import type { AnswerBook } from './answer-book.ts';
import type { AnswerPosts } from './answer-posts.ts';
import type { BotConfig, BotParts } from './bot-parts.ts';
import type { Deliveries } from './deliveries.ts';
import type { OpenAnswer } from './open-answer.ts';
import type { Question } from './question.ts';
import { type QuestionParts, questionOf } from './question-of.ts';

export interface AdoptionParts extends QuestionParts, Pick<BotParts, 'jobs'> {
  readonly clusterId: ClusterId;
  readonly config: Pick<BotConfig, 'answersPerCluster' | 'resultGraceMs'>;
  readonly book: AnswerBook;
  readonly deliveries: Deliveries;
  readonly logger: Logger;
  readonly posts: AnswerPosts;
  readonly openAnswer: (question: Question) => OpenAnswer;
  /** Stops a job whose question is gone. */
  readonly cancel: (jobId: JobId) => void;
}

/** What could not be read is asked for again after this: a restart of NATS takes a second or two. */
const retryEveryMs = 1_000;
/** Jobs that are looked up at once. */
const looksAtOnce = 50;
/** Adopted answers that show "is typing": each is a call to Discord every few seconds. */
const maxTyping = 50;
/** Deleted messages that are remembered until it is known whether they were questions. */
const maxDeleted = 1_000;
/** Jobs for which there was no room among the open answers: `JOBS` holds no more. */
const maxUnopened = 20_000;

export class Adoption implements Disposable {
  readonly #parts: AdoptionParts;
  readonly #leaving = new AbortController();
  readonly #deleted = new RecentIds<JobId>(maxDeleted);
  readonly #unopened = new RecentIds<JobId>(maxUnopened);
  #looking = true;
  #opened = 0;

  /** Begins to look. */
  constructor(parts: AdoptionParts) {
    this.#parts = parts;
    void this.#adoptAll().finally(() => {
      this.#looking = false;
    });
  }

  /** A message was deleted whose answer is not open: when it was a question of ours its job is stopped. */
  onDeleted(jobId: JobId): void {
    if (this.#unopened.has(jobId)) this.#parts.cancel(jobId);
    else if (this.#looking) this.#deleted.add(jobId);
  }

  /** Goes on with one that turned out to have been accepted before. `sequence`: its place in `JOBS`. */
  async adopt(jobId: JobId, sequence: number): Promise<void> {
    const { jobs } = this.#parts;
    const message = await this.#patiently(() => jobs.store.read(sequence));
    const read = message && readStoredJob(message);
    // Gone: it was delivered, and its subject is remembered for a while.
    if (message && read?.kind === 'job') await this.#adopt(read.job, message.headers);
    else if (message) this.#parts.deliveries.look(jobId, sequence);
  }

  /** Ends the looking. */
  [Symbol.dispose](): void {
    this.#leaving.abort();
  }

  async #adoptAll(): Promise<void> {
    const { clusterId, jobs, posts } = this.#parts;
    const stored = await this.#patiently(() => jobs.store.list());
    const own = (stored ?? []).flatMap((message) => {
      const read = readStoredJob(message);
      return read.kind === 'job' && read.job.owner === clusterId
        ? { job: read.job, headers: message.headers }
        : [];
    });
    for (const { job } of own) posts.adopt(job.header.jobId);
    while (own.length > 0 && !this.#leaving.signal.aborted) {
      await Promise.all(
        own.splice(0, looksAtOnce).map(({ job, headers }) => this.#adopt(job, headers)),
      );
    }
  }

  async #adopt(stored: StoredJob, headers: Headers): Promise<void> {
    const { book, clock, config, deliveries, jobs, openAnswer } = this.#parts;
    const { header, sequence } = stored;
    const { jobId } = header;
    const standing = await this.#patiently(() => jobs.ledger.read(jobId));
    const origin = originOf(stored);
    // One that this process was asked itself goes its own way, and says so.
    if (standing?.kind === 'end' || !origin) deliveries.look(jobId, sequence);
    if (standing?.kind === 'end' || !standing || !origin) return;
    if (book.answer(jobId) || book.past(jobId)) return;
    if (book.openCount >= config.answersPerCluster) {
      this.#unopened.add(jobId);
      if (this.#deleted.has(jobId)) this.#parts.cancel(jobId);
      return;
    }
    const asked = { jobId, origin, acceptedAtMs: header.acceptedAtMs };
    const answer = openAnswer(questionOf(asked, headers, this.#parts));
    answer.inherit();
    const leftMs = Math.max(0, header.deadlineAtMs - clock.nowMs());
    answer.expect({ stored: sequence, forMs: leftMs + config.resultGraceMs });
    this.#opened += 1;
    if (this.#opened <= maxTyping) answer.type();
    if (!this.#deleted.has(jobId)) return;
    this.#parts.cancel(jobId);
    void answer.withdraw();
  }

  /** Asks until there is an answer; undefined when this process leaves before. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger } = this.#parts;
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      try {
        const answer = await ask();
        return signal.aborted ? undefined : answer;
      } catch (error) {
        logger.warn('jobs.unlisted', { error });
      }
      await clock.sleep(retryEveryMs, { signal }).catch(() => {});
    }
    return undefined;
  }
}

/** Where the answer to a job goes. In Discord a job is named after the message that asked. */
function originOf({ guildId, header, owner }: StoredJob) {
  const { conversationKey: channelId, jobId: messageId, userKey: userId } = header;
  const origin = { kind: 'discord', clusterId: owner, guildId, channelId, messageId, userId };
  return discordOrigin.safeParse(origin).data;
}
