import type { Clock } from '@starling/clock';
import type { PeopleDoor, Said } from './people-door.ts';

const lookEveryMs = 50;

/**
 * Presses the Stop button below the answer to a message, as the person who wrote it would: after
 * `afterMs`, or as soon as there is one.
 * @returns false when the signal aborted before there was one
 */
export async function pressStop(
  { messageId, userId }: Said,
  options: {
    readonly door: Pick<PeopleDoor, 'answer' | 'press'>;
    readonly clock: Clock;
    readonly afterMs: number;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { clock, door, signal } = options;
  const waited = (ms: number) =>
    clock.sleep(ms, { signal }).then(
      () => true,
      () => false,
    );
  for (let waitMs = options.afterMs; await waited(waitMs); waitMs = lookEveryMs) {
    const { messages } = await door.answer(messageId, { timeoutMs: 0, quietMs: 0 });
    for (const { components, id } of messages) {
      const buttons = components.flatMap((row) => row.components);
      const stop = buttons.find(({ custom_id: customId = '' }) => customId.startsWith('stop:'));
      if (stop?.custom_id === undefined) continue;
      await door.press({ messageId: id, userId, customId: stop.custom_id });
      return true;
    }
  }
  return false;
}
