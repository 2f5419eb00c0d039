import type { Clock } from '@starling/clock';
import type { ChannelId } from '@starling/contracts';
import type { ConversationBounds, Conversations, Turn } from './conversations.ts';
import { storedTurn } from './stored-turn.ts';

interface Kept {
  turns: readonly Turn[];
  expiresAtMs: number;
}

/** Channels kept at most; at 20 messages of 8 kB that is the memory of one process, not a store. */
const maxChannels = 5_000;

/** Conversations of one process, for the embedded mode: gone when it ends. */
export function createMemoryConversations(
  options: ConversationBounds & { readonly clock: Clock },
): Conversations {
  const { clock, maxMessages, ttlMs } = options;
  const channels = new Map<ChannelId, Kept>();

  const alive = (channel: ChannelId): readonly Turn[] => {
    const kept = channels.get(channel);
    if (!kept) return [];
    if (kept.expiresAtMs > clock.nowMs()) return kept.turns;
    channels.delete(channel);
    return [];
  };

  return {
    async recent(channel) {
      return alive(channel);
    },
    async append(channel, turn) {
      const others = alive(channel).filter(({ messageId }) => messageId !== turn.messageId);
      const turns = [...others, storedTurn(turn)].sort(byMessage).slice(-turnsOf(maxMessages));
      // Set anew, so that the map's order is the order of use and its first entry the stalest.
      channels.delete(channel);
      channels.set(channel, { turns, expiresAtMs: clock.nowMs() + ttlMs });
      const stalest = channels.keys().next();
      if (channels.size > maxChannels && !stalest.done) channels.delete(stalest.value);
    },
  };
}

/** A turn is two messages. */
export function turnsOf(maxMessages: number): number {
  return Math.max(1, Math.floor(maxMessages / 2));
}

/** Discord's ids grow with time; shorter ones are older (snowflakes). */
function byMessage(a: Turn, b: Turn): number {
  return (
    a.messageId.length - b.messageId.length ||
    (a.messageId < b.messageId ? -1 : a.messageId > b.messageId ? 1 : 0)
  );
}
