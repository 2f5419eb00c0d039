/** Who acts where: fills in what a person left out, and refuses what cannot be. */
import type { ChannelPayload, MessagePayload, UserPayload } from '../core/payloads.ts';
import type { Guild, World } from '../core/world.ts';
import { visibleTo } from '../rest/messages/message-draft.ts';
import type { Platform } from '../rest/platform.ts';
import { PeopleError } from './people-error.ts';

/** Where and as whom a person acts, as the door's requests say it. */
export interface PlaceInput {
  readonly userId?: string | undefined;
  readonly channelId?: string | undefined;
  readonly guildId?: string | undefined;
  readonly dm?: boolean | undefined;
}

export interface Place {
  readonly user: UserPayload;
  readonly channel: ChannelPayload;
}

/**
 * Without a channel it is the first one of the guild in which the bot writes; without a guild, the
 * first guild; without a user, the guild's first person.
 * @throws PeopleError
 */
export function placeOf(world: World, input: PlaceInput): Place {
  if (input.dm === true) return dmPlace(world, input.userId);
  const channel = input.channelId === undefined ? undefined : world.channel(input.channelId);
  if (input.channelId !== undefined && !channel) {
    throw refuse(
      'channelId',
      input.channelId,
      'there is no such channel',
      'GET /people/guilds lists them',
    );
  }
  if (channel?.type === 1) {
    const [recipient] = channel.recipients;
    if (!recipient || (input.userId !== undefined && input.userId !== recipient.id)) {
      throw refuse(
        'userId',
        input.userId,
        'not the person of this direct message',
        'leave userId out',
      );
    }
    return { user: recipient, channel };
  }
  const guild = guildOf(world, channel?.guild_id ?? input.guildId);
  return { user: memberOf(guild, input.userId), channel: channel ?? firstChannel(world, guild) };
}

/** A person's message or the bot's, which `userId` sees. @throws PeopleError */
export function seenMessage(
  platform: Platform,
  { messageId, userId }: { readonly messageId: string; readonly userId?: string | undefined },
): MessagePayload {
  const message = platform.board.find(messageId);
  if (!message || (userId !== undefined && !visibleTo(message, userId))) {
    throw refuse('messageId', messageId, 'no such message', 'use an id that the door returned');
  }
  return message;
}

function dmPlace(world: World, userId: string | undefined): Place {
  const user = userId === undefined ? world.personAt(0) : world.user(userId);
  const channel = user && world.dmChannel(user.id);
  if (!user || !channel) {
    throw refuse('userId', userId, 'no such person', 'GET /people/guilds lists members');
  }
  return { user, channel };
}

function guildOf(world: World, guildId: string | undefined): Guild {
  const [first] = world.guildIds();
  const guild = world.guild(guildId ?? first ?? '');
  if (!guild) throw refuse('guildId', guildId, 'no such guild', 'GET /people/guilds lists them');
  return guild;
}

function memberOf(guild: Guild, userId: string | undefined): UserPayload {
  if (userId === undefined) {
    for (const { user } of guild.members()) if (!user.bot) return user;
  }
  const member = guild.member(userId ?? '');
  if (!member || member.user.bot) {
    const remedy = 'use a member that GET /people/guilds lists for this guild';
    throw refuse('userId', userId, 'no person of this guild', remedy);
  }
  return member.user;
}

function firstChannel(world: World, guild: Guild): ChannelPayload {
  const channel = guild.channels().find(({ id }) => world.botRights(id).send);
  if (channel) return channel;
  throw refuse(
    'channelId',
    undefined,
    'the bot writes in no channel of this guild',
    'name a channel',
  );
}

/** A refusal of one field. */
export function refuse(
  field: string,
  ...[value, problem, remedy]: [value: unknown, problem: string, remedy: string]
): PeopleError {
  return new PeopleError({ field, value: value ?? null, problem, remedy });
}
