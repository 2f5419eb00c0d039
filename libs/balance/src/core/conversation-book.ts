import type { WorkerId } from '@starling/contracts';

/** Which worker served each conversation last; of those used longest ago the oldest is forgotten. */
export class ConversationBook {
  readonly #max: number;
  readonly #lastWorker = new Map<string, WorkerId>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#lastWorker.size;
  }

  lastWorker(conversationKey: string | undefined): WorkerId | undefined {
    return conversationKey === undefined ? undefined : this.#lastWorker.get(conversationKey);
  }

  served(conversationKey: string | undefined, workerId: WorkerId): void {
    if (conversationKey === undefined) return;
    this.#lastWorker.delete(conversationKey);
    this.#lastWorker.set(conversationKey, workerId);
    if (this.#lastWorker.size <= this.#max) return;
    const [oldest] = this.#lastWorker.keys();
    if (oldest !== undefined) this.#lastWorker.delete(oldest);
  }
}
