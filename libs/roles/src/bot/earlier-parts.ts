import type { DiscordOrigin } from '@starling/contracts';
import { type PostedPart, type ReferencedMessage, SendError } from '@starling/discord';
import type { DiscordSender } from './discord-ports.ts';
import { foundParts } from './found-parts.ts';
import type { TakeOver } from './question.ts';

/**
 * The messages that an earlier process left of an answer that will have these contents; undefined when
 * Discord could not be asked.
 */
export async function earlierParts(
  answer: {
    readonly origin: DiscordOrigin;
    readonly contents: readonly string[];
    readonly takeOver: TakeOver;
  },
  sender: Pick<DiscordSender, 'fetchAfter'>,
): Promise<readonly PostedPart[] | undefined> {
  const { contents, origin, takeOver } = answer;
  const { channelId, messageId: question } = origin;
  const found = (after: readonly ReferencedMessage[]) =>
    foundParts(after, { ...takeOver, question, contents });
  try {
    return found(await sender.fetchAfter(channelId, question));
  } catch (error) {
    if (!(error instanceof SendError) || error.fault === 'unavailable') return undefined;
    // A channel that cannot be read may still be written to: what was recorded, and the nonce, guard.
    return found([]);
  }
}
