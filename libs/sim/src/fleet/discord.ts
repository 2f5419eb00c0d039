/**
 * What Discord does in this simulation: it tells a child of messages, again after a reconnect those it
 * had not confirmed, and it shows an answer once for each nonce (`enforce_nonce`).
 */
import type { QueuedJob } from '@starling/balance';
import type { JobId } from '@starling/contracts';

/** A message that asks for an answer. */
export interface AskedMessage {
  readonly header: QueuedJob;
  /** What is asked; people of one guild who ask the same may share an answer. */
  readonly question: string;
  /** A job that kills the process that runs it. */
  readonly poison: boolean;
  /** Asked over HTTP: its end is collected from the ledger, and whoever wrote that removes the job. */
  readonly collected: boolean;
  /** By the true time, milliseconds. */
  readonly askedAtMs: number;
  readonly serviceMs: number;
}

/** See the module's header. */
export class Discord {
  readonly #asked = new Map<JobId, AskedMessage>();
  readonly #unconfirmed = new Map<JobId, AskedMessage>();
  readonly #shown = new Map<JobId, number>();

  ask(message: AskedMessage): void {
    this.#asked.set(message.header.jobId, message);
    this.#unconfirmed.set(message.header.jobId, message);
  }

  messageOf(jobId: JobId): AskedMessage | undefined {
    return this.#asked.get(jobId);
  }

  /** What a child that connects is told again. */
  replay(): readonly AskedMessage[] {
    return [...this.#unconfirmed.values()];
  }

  /** Who asked over HTTP and has no answer: they ask again, with their key. */
  callers(): readonly JobId[] {
    return [...this.#asked]
      .filter(([jobId, { collected }]) => collected && !this.#shown.has(jobId))
      .map(([jobId]) => jobId);
  }

  /** The child flushed its sequence past this message. */
  confirm(jobId: JobId): void {
    this.#unconfirmed.delete(jobId);
  }

  /** Shows an answer. @returns whether the nonce was new */
  post(jobId: JobId): boolean {
    if (this.#shown.has(jobId)) return false;
    this.#shown.set(jobId, 1);
    return true;
  }

  get asked(): number {
    return this.#asked.size;
  }

  get answered(): number {
    return this.#shown.size;
  }

  isAnswered(jobId: JobId): boolean {
    return this.#shown.has(jobId);
  }

  unanswered(): JobId[] {
    return [...this.#asked.keys()].filter((jobId) => !this.#shown.has(jobId));
  }
}
