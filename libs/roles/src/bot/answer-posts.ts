/**
 * Which message shows which part of an answer, kept in the ledger, so that another process edits it
 * rather than posts again. A message is recorded by Discord's reply to the post, or, should that be
 * lost, by our own MESSAGE_CREATE, which carries the nonce.
 */
import type { JobId, MessageId } from '@starling/contracts';
import { partNonce } from '@starling/discord';
import type { LedgerPosts } from '@starling/jobs';
import type { Logger } from '@starling/telemetry';

/** Posts under way that are remembered, the oldest forgotten first: several minutes of a busy cluster. */
const maxAwaited = 5_000;
/** Parts of an earlier process' answer that are looked out for. */
const maxAdoptedParts = 3;

interface Part {
  readonly jobId: JobId;
  /** 0 for the first message of the answer. */
  readonly part: number;
}

export class AnswerPosts {
  readonly #posts: LedgerPosts;
  readonly #logger: Logger;
  /** By nonce: the parts whose message is not known yet. */
  readonly #awaited = new Map<string, Part>();

  constructor(parts: { readonly posts: LedgerPosts; readonly logger: Logger }) {
    this.#posts = parts.posts;
    this.#logger = parts.logger;
  }

  /** A part is about to be posted under this nonce. */
  posting(part: Part): string {
    const nonce = partNonce(part.jobId, part.part);
    this.#await(nonce, part);
    return nonce;
  }

  /** Discord said which message it is. */
  posted(nonce: string, message: MessageId): void {
    const part = this.#awaited.get(nonce);
    if (!part) return;
    this.#awaited.delete(nonce);
    const { jobId } = part;
    this.#posts.record(jobId, part.part + 1, message).catch((error: unknown) => {
      // Another process finds it by looking through the channel.
      this.#logger.warn('post.unrecorded', { jobId, part: part.part, error });
    });
  }

  /** An answer of an earlier process: its last posts may still be told by the gateway. */
  adopt(jobId: JobId): void {
    for (let part = 0; part < maxAdoptedParts; part += 1) this.posting({ jobId, part });
  }

  /** The messages that were recorded, from the first on. */
  async recorded(jobId: JobId): Promise<readonly MessageId[]> {
    const recorded: MessageId[] = [];
    for (const { messageId } of await this.#posts.read(jobId)) {
      if (messageId === undefined) break;
      recorded.push(messageId);
    }
    return recorded;
  }

  #await(nonce: string, part: Part): void {
    this.#awaited.delete(nonce);
    this.#awaited.set(nonce, part);
    const oldest = this.#awaited.keys().next();
    if (this.#awaited.size > maxAwaited && !oldest.done) this.#awaited.delete(oldest.value);
  }
}
