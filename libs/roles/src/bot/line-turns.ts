import type { ChannelId, JobId } from '@starling/contracts';
import type { AnswerBook } from './answer-book.ts';
import type { OpenAnswer } from './open-answer.ts';

/**
 * Whose place in line is shown next in a channel: one after the other, since a busy channel takes few
 * such lines, and who is asked first would else be the only one with a line that is true.
 */
export class LineTurns {
  readonly #book: Pick<AnswerBook, 'answer'>;
  /** Questions whose place has changed, in the order of their turns; at most the open ones. */
  readonly #queues = new Map<ChannelId, Set<JobId>>();

  constructor(book: Pick<AnswerBook, 'answer'>) {
    this.#book = book;
  }

  /** The place of this question has changed: it gets its turn, now or when the channel has room. */
  take({ question }: OpenAnswer): void {
    const { jobId, origin } = question;
    const queue = this.#queues.get(origin.channelId) ?? new Set();
    this.#queues.set(origin.channelId, queue.add(jobId));
    for (const next of queue) {
      const answer = this.#book.answer(next);
      // One that waits no more has no place to show.
      if (answer?.place && !answer.showPlace()) return;
      queue.delete(next);
    }
    this.#queues.delete(origin.channelId);
  }
}
