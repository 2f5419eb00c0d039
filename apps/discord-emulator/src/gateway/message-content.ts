/**
 * The message content rules: without the MESSAGE_CONTENT intent what a message says is empty, except
 * in the bot's own messages, direct messages, and messages that mention the bot
 * (discord.com/developers/docs/events/gateway#message-content-intent).
 */
import { type Dispatch, intentBits } from '../core/ports.ts';

const messageEvents: ReadonlySet<string> = new Set(['MESSAGE_CREATE', 'MESSAGE_UPDATE']);
const hidden = { content: '', embeds: [], attachments: [], components: [] } as const;

/** Whether a session with these intents sees what the event's message says. */
export function seesContent(event: Dispatch, who: { intents: number; botId: string }): boolean {
  if (!messageEvents.has(event.name) || event.guildId === undefined) return true;
  if ((who.intents & intentBits.MESSAGE_CONTENT) !== 0) return true;
  const { author, mentions } = event.data;
  return (
    hasId(author, who.botId) ||
    (Array.isArray(mentions) && mentions.some((one) => hasId(one, who.botId)))
  );
}

/** The payload for a session that may not see what the message says; the referenced one likewise. */
export function withoutContent(data: Dispatch['data'], botId: string): Dispatch['data'] {
  const { poll: _poll, ...rest } = data;
  const referenced = data.referenced_message;
  const own = isObject(referenced) && hasId(referenced.author, botId);
  return {
    ...rest,
    ...hidden,
    ...(isObject(referenced) && !own && { referenced_message: { ...referenced, ...hidden } }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function hasId(value: unknown, id: string): boolean {
  return isObject(value) && value.id === id;
}
