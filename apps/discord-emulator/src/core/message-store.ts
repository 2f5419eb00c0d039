import type { MessagePayload } from './payloads.ts';

/** Which messages of a channel are wanted, as in `GET /channels/:id/messages`; newest first. */
export interface MessageQuery {
  readonly limit: number;
  readonly before?: string;
  readonly after?: string;
  readonly around?: string;
}

/** Messages by channel, bounded for each channel and in all. */
export interface MessageStore {
  add(message: MessagePayload): void;
  get(channelId: string, messageId: string): MessagePayload | undefined;
  /** Replaces a stored message. @returns false when it is not (or no longer) stored */
  replace(message: MessagePayload): boolean;
  /** @returns the message that was there */
  remove(channelId: string, messageId: string): MessagePayload | undefined;
  list(channelId: string, query: MessageQuery): MessagePayload[];
  readonly size: number;
}

/**
 * The oldest message of a full channel goes; when the whole store is full, the oldest of the channel
 * that was written in longest ago. To its readers a dropped message is an unknown one (10008).
 */
export function createMessageStore(
  bounds: () => { readonly perChannel: number; readonly total: number },
): MessageStore {
  /** Channels in the order of their last message; messages in the order of their ids. */
  const channels = new Map<string, Map<string, MessagePayload>>();
  let size = 0;

  function dropOldest(channelId: string, messages: Map<string, MessagePayload>): void {
    for (const id of messages.keys()) {
      messages.delete(id);
      size -= 1;
      break;
    }
    if (messages.size === 0) channels.delete(channelId);
  }

  return {
    add(message) {
      const messages = channels.get(message.channel_id) ?? new Map();
      channels.delete(message.channel_id);
      channels.set(message.channel_id, messages);
      messages.set(message.id, message);
      size += 1;
      if (messages.size > bounds().perChannel) dropOldest(message.channel_id, messages);
      if (size <= bounds().total) return;
      for (const [channelId, oldest] of channels) {
        dropOldest(channelId, oldest);
        break;
      }
    },
    get: (channelId, messageId) => channels.get(channelId)?.get(messageId),
    replace(message) {
      const messages = channels.get(message.channel_id);
      if (!messages?.has(message.id)) return false;
      messages.set(message.id, message);
      return true;
    },
    remove(channelId, messageId) {
      const messages = channels.get(channelId);
      const message = messages?.get(messageId);
      if (!messages || !message) return undefined;
      messages.delete(messageId);
      size -= 1;
      if (messages.size === 0) channels.delete(channelId);
      return message;
    },
    list(channelId, { limit, before, after, around }) {
      const newestFirst = [...(channels.get(channelId)?.values() ?? [])].reverse();
      if (around !== undefined) {
        const middle = newestFirst.findIndex(({ id }) => BigInt(id) <= BigInt(around));
        const from = Math.max(0, (middle < 0 ? newestFirst.length : middle) - (limit >> 1));
        return newestFirst.slice(from, from + limit);
      }
      if (after !== undefined) {
        const later = newestFirst.filter(({ id }) => BigInt(id) > BigInt(after));
        return later.slice(-limit);
      }
      const earlier =
        before === undefined
          ? newestFirst
          : newestFirst.filter(({ id }) => BigInt(id) < BigInt(before));
      return earlier.slice(0, limit);
    },
    get size() {
      return size;
    },
  };
}
