import type { Clock } from '@starling/clock';
import type { ChannelId } from '@starling/contracts';
import type { DiscordSender } from './discord-ports.ts';

/** Discord shows "is typing" for ten seconds. */
const typingEveryMs = 8_000;

/**
 * "Is typing" from now until disposed. A failure is nobody's business: what matters follows. A call
 * that hangs is not doubled.
 */
export function startTyping(parts: {
  readonly sender: Pick<DiscordSender, 'typing'>;
  readonly clock: Clock;
  readonly channel: ChannelId;
}): Disposable {
  const { channel, clock, sender } = parts;
  let timer: Disposable | undefined;
  let stopped = false;

  const again = async () => {
    await sender.typing(channel).catch(() => {});
    if (!stopped) timer = clock.schedule(typingEveryMs, () => void again());
  };
  void again();
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer?.[Symbol.dispose]();
    },
  };
}
