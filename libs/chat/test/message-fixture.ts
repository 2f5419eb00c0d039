import { channelId, guildId, messageId, userId } from '@starling/contracts';
import type { IncomingMessage, RepliedMessage } from '../src/incoming-message.ts';

export const self = userId.parse('500000000000000000');
export const ada = { id: userId.parse('400000000000000000'), name: 'Ada', isBot: false };
export const bob = { id: userId.parse('400000000000000001'), name: 'Bob', isBot: false };

/** The nth message id of the tests; later ones are greater. */
export const nthMessage = (n: number) =>
  messageId.parse(String(1_400_000_000_000_000_000n + BigInt(n)));

/** A message of Ada's in a guild's channel that mentions the bot; each test states its difference. */
export function guildMessage(difference: Partial<IncomingMessage> = {}): IncomingMessage {
  return {
    id: nthMessage(1),
    channelId: channelId.parse('200000000000000000'),
    guildId: guildId.parse('300000000000000000'),
    author: ada,
    isWebhook: false,
    isSystem: false,
    content: `<@${self}> what is a murmuration?`,
    mentions: [self],
    attachments: 0,
    ...difference,
  };
}

/** The same as a direct message. */
export function directMessage(difference: Partial<IncomingMessage> = {}): IncomingMessage {
  const { guildId: _guild, ...message } = guildMessage({ content: 'hello there', mentions: [] });
  return { ...message, ...difference };
}

/** What a message replies to. */
export function replied(difference: Partial<RepliedMessage> = {}): RepliedMessage {
  return { id: nthMessage(0), author: bob, content: 'birds flock', ...difference };
}
