import type { DiscordOrigin, JobId, QueuePlace } from '@starling/contracts';
import type { PostedPart } from '@starling/discord';
import type { OpenAnswer } from './open-answer.ts';
import type { Question } from './question.ts';

/** What is remembered of an answer that ended: a replay or a second result finds it. */
export interface PastAnswer {
  readonly question: Question;
  readonly posted: readonly PostedPart[];
  /** False: a result that comes late still replaces what stands there. */
  readonly settled: boolean;
}

/** Endings remembered, the oldest forgotten first: some minutes of a busy cluster. */
const maxPast = 2_000;

/** The answers of one cluster by their job, open and recently ended. */
export class AnswerBook {
  readonly #open = new Map<JobId, OpenAnswer>();
  readonly #past = new Map<JobId, PastAnswer>();
  #idle: PromiseWithResolvers<void> | undefined;

  get openCount(): number {
    return this.#open.size;
  }

  open(answer: OpenAnswer): void {
    this.#open.set(answer.question.jobId, answer);
  }

  /** The open answers. */
  answers(): Iterable<OpenAnswer> {
    return this.#open.values();
  }

  /** Where the first of those jobs waits that this one is refused for: its user's own, or its guild's. */
  placeBefore(
    { guildId, userId }: Pick<DiscordOrigin, 'guildId' | 'userId'>,
    code: 'user_busy' | 'too_busy',
  ): QueuePlace | undefined {
    let first: QueuePlace | undefined;
    for (const { place, question } of this.#open.values()) {
      const { origin } = question;
      const counts = code === 'user_busy' ? origin.userId === userId : origin.guildId === guildId;
      if (place && counts && place.position < (first?.position ?? Infinity)) first = place;
    }
    return first;
  }

  /** Takes an answer to the end of {@link answers}. */
  moveBack(answer: OpenAnswer): void {
    const { jobId } = answer.question;
    if (this.#open.delete(jobId)) this.#open.set(jobId, answer);
  }

  answer(jobId: JobId): OpenAnswer | undefined {
    return this.#open.get(jobId);
  }

  past(jobId: JobId): PastAnswer | undefined {
    return this.#past.get(jobId);
  }

  /** Moves an answer to the past; without `past` it is forgotten altogether. */
  close(jobId: JobId, past?: PastAnswer): void {
    this.#open.delete(jobId);
    if (past) {
      this.#past.delete(jobId);
      this.#past.set(jobId, past);
      const oldest = this.#past.keys().next();
      if (this.#past.size > maxPast && !oldest.done) this.#past.delete(oldest.value);
    }
    if (this.#open.size === 0) this.#idle?.resolve();
  }

  /** Resolves when no answer is open. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
    this.#idle = undefined;
  }

  /** Lets go of every open answer. */
  abandon(): void {
    for (const answer of this.#open.values()) answer[Symbol.dispose]();
    this.#open.clear();
    this.#idle?.resolve();
  }
}
