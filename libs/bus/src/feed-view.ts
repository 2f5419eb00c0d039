/**
 * What a feed has told of a store, held against what it hears: the pure part of a feed. It is
 * *reading* from `begin` to `complete`, while the store's list comes in, and *live* after that.
 *
 * Invariant: a sequence is known exactly from when it was told as stored to when it was told as gone.
 */

/** A message by its two names. */
export interface SeenMessage {
  readonly sequence: number;
  readonly subject: string;
}

/** See the module's header. */
export class FeedView {
  readonly #maxEarlyRemovals: number;
  readonly #known = new Map<number, string>();
  /** Sequences of the list that is being read; undefined when live. */
  #listed: Set<number> | undefined;
  /** Removals that were heard of before the message: two connections, two orders. */
  readonly #removedEarly = new Set<number>();

  constructor(options: { readonly maxEarlyRemovals: number }) {
    this.#maxEarlyRemovals = options.maxEarlyRemovals;
  }

  /** How many messages are known. */
  get size(): number {
    return this.#known.size;
  }

  /** A list begins. What was heard of removals before says nothing about it: a crash brings some back. */
  begin(): void {
    this.#listed = new Set();
    this.#removedEarly.clear();
  }

  /**
   * A message is in the store. `isNew`: to be told. `replaced`: to be told as gone before that; the
   * store was lost and counts anew.
   */
  stored(message: SeenMessage): { readonly isNew: boolean; readonly replaced?: SeenMessage } {
    const { sequence, subject } = message;
    if (this.#removedEarly.has(sequence)) return { isNew: false };
    this.#listed?.add(sequence);
    const known = this.#known.get(sequence);
    if (known === subject) return { isNew: false };
    this.#known.set(sequence, subject);
    return known === undefined
      ? { isNew: true }
      : { isNew: true, replaced: { sequence, subject: known } };
  }

  /** A message was removed; the result is to be told as gone. */
  removed(sequence: number): SeenMessage | undefined {
    const subject = this.#known.get(sequence);
    if (subject === undefined) {
      this.#removedEarly.add(sequence);
      const oldest = this.#removedEarly.values().next();
      const over = this.#removedEarly.size > this.#maxEarlyRemovals;
      if (over && !oldest.done) this.#removedEarly.delete(oldest.value);
      return undefined;
    }
    this.#known.delete(sequence);
    this.#listed?.delete(sequence);
    return { sequence, subject };
  }

  /** The list is whole; what is known and not in it is to be told as gone. */
  complete(): readonly SeenMessage[] {
    const listed = this.#listed;
    if (!listed) return [];
    this.#listed = undefined;
    const gone = [...this.#known].filter(([sequence]) => !listed.has(sequence));
    for (const [sequence] of gone) this.#known.delete(sequence);
    return gone.map(([sequence, subject]) => ({ sequence, subject }));
  }
}
