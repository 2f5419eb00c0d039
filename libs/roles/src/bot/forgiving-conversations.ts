import type { Conversations } from '@starling/chat';
import type { Logger } from '@starling/telemetry';

/**
 * Conversations that may fail without anybody going unanswered: while their store is away nothing is
 * remembered and nothing is added. Told in one line when it begins, and one when it ends.
 */
export function forgivingConversations(store: Conversations, logger: Logger): Conversations {
  let away = false;
  const note = (failed: boolean, error?: unknown) => {
    if (failed === away) return;
    away = failed;
    if (failed) logger.warn('conversations.away', { error });
    else logger.ok('conversations.back');
  };
  const trying = async <T>(work: () => Promise<T>, instead: T): Promise<T> => {
    try {
      const value = await work();
      note(false);
      return value;
    } catch (error) {
      note(true, error);
      return instead;
    }
  };
  return {
    recent: (channel) => trying(() => store.recent(channel), []),
    append: (channel, turn) => trying(() => store.append(channel, turn), undefined),
  };
}
