/**
 * MESSAGE_CREATE as it comes off the gateway, cut down to what the bot reads. Read from the raw
 * dispatch and not from discord.js' caches: a message of a guild that is not cached yet is answered
 * all the same, and nothing of an unaddressed message is kept.
 */
import {
  type ChannelId,
  channelId,
  type GuildId,
  guildId,
  type MessageId,
  messageId,
  type UserId,
  userId,
} from '@starling/contracts';

export interface MessageAuthor {
  readonly id: UserId;
  readonly name: string;
  readonly isBot: boolean;
}

export interface ReferencedMessage {
  readonly id: MessageId;
  readonly author: MessageAuthor;
  readonly content: string;
  readonly repliesTo?: MessageId;
  /** It carries a button or a menu. */
  readonly hasControls: boolean;
}

/** A message of Discord (discord.com/developers/docs/resources/message#message-object). */
export interface MessageCreate {
  readonly id: MessageId;
  readonly channelId: ChannelId;
  readonly guildId?: GuildId;
  readonly author: MessageAuthor;
  /** Ids of the roles that the author has in the guild. */
  readonly roles: readonly string[];
  readonly isWebhook: boolean;
  readonly isSystem: boolean;
  readonly content: string;
  readonly mentions: readonly UserId[];
  readonly repliedTo?: ReferencedMessage;
  readonly attachments: number;
  /** What its author gave it when posting; of ours it names the answer's part. */
  readonly nonce?: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Types that people write: 0 default, 19 reply (message object, message types). */
const writtenByPeople: readonly unknown[] = [0, 19];

/** The message in a dispatch's data, or undefined when it is none: then it is counted, never thrown at. */
export function decodeMessage(data: unknown): MessageCreate | undefined {
  if (!isRecord(data)) return undefined;
  const id = messageId.safeParse(data.id);
  const channel = channelId.safeParse(data.channel_id);
  const author = authorOf(data.author, data.member);
  if (!id.success || !channel.success || !author) return undefined;
  const guild = guildId.safeParse(data.guild_id);
  if (data.guild_id !== undefined && !guild.success) return undefined;
  const repliedTo = referencedOf(data.referenced_message);
  return {
    id: id.data,
    channelId: channel.data,
    ...(guild.success && { guildId: guild.data }),
    author,
    roles: rolesOf(data.member),
    isWebhook: data.webhook_id !== undefined && data.webhook_id !== null,
    isSystem: !writtenByPeople.includes(data.type),
    content: typeof data.content === 'string' ? data.content : '',
    mentions: mentionsOf(data.mentions),
    ...(repliedTo && { repliedTo }),
    attachments: Array.isArray(data.attachments) ? data.attachments.length : 0,
    ...(typeof data.nonce === 'string' && { nonce: data.nonce }),
  };
}

/** Another message's own reference, from the gateway or from `GET /channels/:c/messages/:m`. */
export function referencedOf(data: unknown): ReferencedMessage | undefined {
  if (!isRecord(data)) return undefined;
  const id = messageId.safeParse(data.id);
  const author = authorOf(data.author, undefined);
  if (!id.success || !author) return undefined;
  const reference = isRecord(data.message_reference)
    ? messageId.safeParse(data.message_reference.message_id)
    : undefined;
  return {
    id: id.data,
    author,
    content: typeof data.content === 'string' ? data.content : '',
    ...(reference?.success && { repliesTo: reference.data }),
    hasControls: Array.isArray(data.components) && data.components.length > 0,
  };
}

/** The ids that a MESSAGE_DELETE or MESSAGE_DELETE_BULK names. */
export function deletedMessages(data: unknown): readonly MessageId[] {
  if (!isRecord(data)) return [];
  const ids = Array.isArray(data.ids) ? data.ids : [data.id];
  return ids.flatMap((id) => {
    const parsed = messageId.safeParse(id);
    return parsed.success ? [parsed.data] : [];
  });
}

function authorOf(author: unknown, member: unknown): MessageAuthor | undefined {
  if (!isRecord(author)) return undefined;
  const id = userId.safeParse(author.id);
  if (!id.success) return undefined;
  const nick = isRecord(member) ? member.nick : undefined;
  const name = [nick, author.global_name, author.username].find(
    (candidate) => typeof candidate === 'string' && candidate !== '',
  );
  return {
    id: id.data,
    name: typeof name === 'string' ? name : 'someone',
    isBot: author.bot === true,
  };
}

function rolesOf(member: unknown): readonly string[] {
  const roles = isRecord(member) ? member.roles : undefined;
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
}

function mentionsOf(mentions: unknown): readonly UserId[] {
  if (!Array.isArray(mentions)) return [];
  return mentions.flatMap((mentioned) => {
    const id = isRecord(mentioned) ? userId.safeParse(mentioned.id) : undefined;
    return id?.success ? [id.data] : [];
  });
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
