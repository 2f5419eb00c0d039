/**
 * Writes one answer to Discord, by as many `LiveAnswer`s as it takes: a new one when the tries of the
 * last are used up and, for an answer that an earlier process began, one that goes on in the messages
 * which that process left. Those are looked for before anything is written.
 */
import { messageContents, type PostedPart } from '@starling/discord';
import type { Logger } from '@starling/telemetry';
import type { AnswerPosts } from './answer-posts.ts';
import type { BotParts } from './bot-parts.ts';
import { earlierParts } from './earlier-parts.ts';
import { type AnswerEnd, LiveAnswer } from './live-answer.ts';
import type { Question } from './question.ts';
import { isQueueLine } from './queue-line.ts';

export interface AnswerWriterParts
  extends Pick<BotParts, 'clock' | 'gateway' | 'random' | 'sender'> {
  readonly logger: Logger;
  readonly posts: AnswerPosts;
}

/** A look through the channel that failed is not repeated for a text of the stream before this. */
const lookAgainMs = 1_000;

export class AnswerWriter implements Disposable {
  readonly #question: Question;
  readonly #parts: AnswerWriterParts;
  #live: LiveAnswer;
  /** What an earlier process left; `none`: there was none. */
  #earlier: 'none' | 'unseen' | 'seen' = 'none';
  #looking: Promise<boolean> | undefined;
  #lookAgainAtMs = 0;
  /** Text that waits for the look. */
  #newest = '';
  #over = false;
  #posts = 0;
  #edits = 0;
  #firstTextAtMs: number | undefined;

  constructor(question: Question, parts: AnswerWriterParts, posted: readonly PostedPart[]) {
    this.#question = question;
    this.#parts = parts;
    this.#live = this.#newLive(posted);
  }

  /** Messages that exist, in order, as far as they are known. */
  get posted(): readonly PostedPart[] {
    return this.#live.posted;
  }

  /** See `LiveAnswer`; over all of them. */
  get tally() {
    const { edits, firstTextAtMs, posts } = this.#live.tally;
    return {
      posts: this.#posts + posts,
      edits: this.#edits + edits,
      firstTextAtMs: this.#firstTextAtMs ?? firstTextAtMs,
    };
  }

  /** An earlier process accepted the question, and may have shown something. */
  inherit(): void {
    if (this.#earlier === 'none') this.#earlier = 'unseen';
  }

  /**
   * Looks for what an earlier process left of an answer that begins with `text`. False when it could
   * not be looked for: then nothing may be written.
   */
  reach(text: string): Promise<boolean> {
    if (this.#earlier !== 'unseen') return Promise.resolve(true);
    this.#looking ??= this.#look(text).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Text of the answer stands there, as far as it is known. */
  get hasText(): boolean {
    return this.posted.some(({ content }) => !isQueueLine(content));
  }

  /** A line about the place in the queue, until the answer begins; see `LiveAnswer`. */
  note(line: string): boolean {
    if (this.#earlier !== 'unseen') return this.#live.note(line);
    this.#lookFor('', () => this.#live.note(line));
    return false;
  }

  /** The answer so far; may be passed over by a newer text. */
  show(text: string): void {
    if (this.#earlier !== 'unseen') {
      this.#live.show(text);
      return;
    }
    this.#newest = text;
    this.#lookFor(text);
  }

  /** The last word; see `LiveAnswer`. Failed as well when an earlier process' messages cannot be found. */
  finish(last: { readonly text: string; readonly isAnswer: boolean }): Promise<AnswerEnd> {
    if (this.#earlier !== 'unseen') return this.#live.finish(last);
    return this.reach(last.text).then((reached) =>
      reached ? this.#live.finish(last) : ('failed' as const),
    );
  }

  /** A new try on what stands there: the tries of the old one are used up. */
  renew(): void {
    this.#replace(this.#live.posted);
    if (this.#earlier === 'seen') this.#earlier = 'unseen';
  }

  /** Lets go: nothing is called afterwards, what stands in Discord stays. */
  [Symbol.dispose](): void {
    this.#over = true;
    this.#live[Symbol.dispose]();
  }

  /** Looks, unless that was tried just now; then shows the newest text, or does what there is else to do. */
  #lookFor(text: string, otherwise = () => {}): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#looking || nowMs < this.#lookAgainAtMs) return;
    this.#lookAgainAtMs = nowMs + lookAgainMs;
    void this.reach(text).then((reached) => {
      if (!reached) return;
      if (this.#newest === '') otherwise();
      else this.#live.show(this.#newest);
    });
  }

  async #look(text: string): Promise<boolean> {
    const { gateway, logger, posts, sender } = this.#parts;
    const { jobId, origin } = this.#question;
    const { self } = gateway;
    if (self === undefined) return false;
    try {
      const recorded = await posts.recorded(jobId);
      const contents = messageContents(text);
      const takeOver = { self, recorded };
      const found = await earlierParts({ origin, contents, takeOver }, sender);
      if (!found || this.#over) return false;
      this.#replace(found);
      this.#earlier = 'seen';
      return true;
    } catch (error) {
      logger.debug('answer.unreached', { jobId, error });
      return false;
    }
  }

  #replace(posted: readonly PostedPart[]): void {
    const { edits, firstTextAtMs, posts } = this.tally;
    this.#posts = posts;
    this.#edits = edits;
    this.#firstTextAtMs = firstTextAtMs;
    this.#live[Symbol.dispose]();
    this.#live = this.#newLive(posted);
  }

  #newLive(posted: readonly PostedPart[]): LiveAnswer {
    const { clock, logger, posts, random, sender } = this.#parts;
    const { context, jobId, origin, timeline } = this.#question;
    return new LiveAnswer({
      ...{ clock, logger, random, sender, context, jobId, timeline },
      ...{ origin, posted, posts },
    });
  }
}
