/** Gateway events of messages and typing (docs: Gateway Events, "Messages"). */
import { GatewayIntentBits } from 'discord-api-types/v10';
import type { ChannelPayload, MemberPayload, MessagePayload } from '../../core/payloads.ts';
import type { Dispatch } from '../../core/ports.ts';
import type { World } from '../../core/world.ts';

interface Happening {
  readonly channel: ChannelPayload;
  readonly message: MessagePayload;
}

const guildOf = (channel: ChannelPayload) => (channel.type === 1 ? undefined : channel.guild_id);

const scope = (channel: ChannelPayload) => {
  const guildId = guildOf(channel);
  return guildId === undefined
    ? { intents: GatewayIntentBits.DirectMessages }
    : { guildId, intents: GatewayIntentBits.GuildMessages };
};

/**
 * A message as an event has it: with its guild, its author's membership and those of the mentioned.
 * `channel_type` is what discord.js knows a direct message by when it has not seen the channel.
 */
function eventMessage(world: World, { channel, message }: Happening): Dispatch['data'] {
  const guildId = guildOf(channel);
  const guild = guildId === undefined ? undefined : world.guild(guildId);
  const { type: channelType } = channel;
  if (!guild) return { ...message, channel_type: channelType };
  const bare = (userId: string) => withoutUser(guild.member(userId));
  return {
    ...message,
    channel_type: channelType,
    guild_id: guildId,
    // Webhooks, interactions' responses among them, have no member (docs: Message Create).
    ...(message.webhook_id === undefined ? { member: bare(message.author.id) } : {}),
    mentions: message.mentions.map((user) => ({ ...user, member: bare(user.id) })),
  };
}

function withoutUser(member: MemberPayload | undefined) {
  if (!member) return undefined;
  const { user: _, ...bare } = member;
  return bare;
}

export function createdEvent(world: World, happening: Happening): Dispatch {
  return {
    name: 'MESSAGE_CREATE',
    ...scope(happening.channel),
    data: eventMessage(world, happening),
  };
}

export function editedEvent(world: World, happening: Happening): Dispatch {
  return {
    name: 'MESSAGE_UPDATE',
    ...scope(happening.channel),
    data: eventMessage(world, happening),
  };
}

export function deletedEvent(_world: World, { channel, message }: Happening): Dispatch {
  const guildId = guildOf(channel);
  return {
    name: 'MESSAGE_DELETE',
    ...scope(channel),
    data: {
      id: message.id,
      channel_id: channel.id,
      ...(guildId === undefined ? {} : { guild_id: guildId }),
    },
  };
}

export function typingEvent(
  world: World,
  happening: { readonly channel: ChannelPayload; readonly userId: string; readonly atMs: number },
): Dispatch {
  const { channel, userId, atMs } = happening;
  const data = { channel_id: channel.id, user_id: userId, timestamp: Math.floor(atMs / 1000) };
  const guildId = guildOf(channel);
  if (guildId === undefined) {
    return { name: 'TYPING_START', intents: GatewayIntentBits.DirectMessageTyping, data };
  }
  return {
    name: 'TYPING_START',
    guildId,
    intents: GatewayIntentBits.GuildMessageTyping,
    data: { ...data, guild_id: guildId, member: world.guild(guildId)?.member(userId) },
  };
}
