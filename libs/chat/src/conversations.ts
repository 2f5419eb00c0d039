import type { ChannelId, MessageId, UserId } from '@starling/contracts';

/** What one person asked and what we answered: the unit that conversations are kept in. */
export interface Turn {
  /** The message that asked; orders turns, and makes a second append of the same turn harmless. */
  readonly messageId: MessageId;
  readonly speaker: { readonly id: UserId; readonly name: string };
  readonly question: string;
  readonly answer: string;
}

/**
 * Memory of channels. Only messages that addressed us and our answers ever get here (features F8).
 * Adapters: Redis and memory; one contract suite holds both (`@starling/chat/testing`).
 */
export interface Conversations {
  /** The newest turns of a channel, oldest first; empty for a channel that nobody spoke in. */
  recent(channel: ChannelId): Promise<readonly Turn[]>;
  /**
   * Adds a turn; the oldest beyond the bound are forgotten. A turn of the same message takes the place
   * of the first, so adding one again changes nothing.
   */
  append(channel: ChannelId, turn: Turn): Promise<void>;
}

export interface ConversationBounds {
  /** Messages kept a channel, questions and answers together (features A5: 20). */
  readonly maxMessages: number;
  /** A channel that is quiet for this long is forgotten, milliseconds. */
  readonly ttlMs: number;
}
