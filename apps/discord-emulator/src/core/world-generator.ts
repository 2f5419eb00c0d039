/** The objects of a generated world, made from its specification whenever they are asked for. */
import { seededRandom } from '@starling/clock';
import type {
  BareMemberPayload,
  GuildChannelPayload,
  OverwritePayload,
  RolePayload,
  UserPayload,
} from './payloads.ts';
import { botRolePermissions, everyonePermissions, permissionBits } from './permissions.ts';
import { snowflakeMs } from './snowflake.ts';
import {
  applicationId,
  channelIdAt,
  guildIdAt,
  personIdAt,
  personIndexOf,
  roleIdAt,
} from './world-ids.ts';
import type { WorldSpec } from './world-spec.ts';

const birds = ['wren', 'finch', 'robin', 'swift', 'heron', 'raven', 'plover', 'dunlin', 'siskin'];
const places = ['harbour', 'meadow', 'orchard', 'library', 'workshop', 'kitchen', 'observatory'];

const noUser = {
  discriminator: '0',
  avatar: null,
  banner: null,
  accent_color: null,
  avatar_decoration_data: null,
  collectibles: null,
  primary_guild: null,
  public_flags: 0,
  flags: 0,
} as const;

/** The bot's user; its id is the application's, as for every application made since 2016. */
export function botUser(spec: WorldSpec): UserPayload {
  return { ...noUser, id: applicationId, username: spec.bot.name, global_name: null, bot: true };
}

/** A person by index; the name says which one. */
export function person(spec: WorldSpec, index: number): UserPayload {
  const bird = birds[seededRandom(spec.seed * 31 + index).integer(birds.length)] ?? 'wren';
  return {
    ...noUser,
    id: personIdAt(index),
    username: `${bird}${index}`,
    global_name: `${bird[0]?.toUpperCase()}${bird.slice(1)} ${index}`,
  };
}

export function guildName(spec: WorldSpec, index: number): string {
  const place = places[seededRandom(spec.seed * 17 + index).integer(places.length)] ?? 'harbour';
  return `The ${place} ${index}`;
}

/**
 * Members of a guild are one run of consecutive people that starts at a place drawn from the seed,
 * so that membership is decided without a list.
 */
export function memberIndexes(spec: WorldSpec, guildIndex: number) {
  const size = Math.min(spec.membersPerGuild, spec.people);
  const first = seededRandom(spec.seed * 13 + guildIndex).integer(spec.people);
  return {
    size,
    at: (place: number) => (first + place) % spec.people,
    has: (personIndex: number) => (personIndex - first + spec.people) % spec.people < size,
  };
}

/** Roles: `@everyone` (the guild's own id), the bot's, and the given number of others. */
export function roles(spec: WorldSpec, guildId: string): RolePayload[] {
  const role = (id: string, name: string, position: number, permissions: bigint): RolePayload => ({
    id,
    name,
    permissions: permissions.toString(),
    position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: name === spec.bot.name,
    mentionable: false,
    icon: null,
    unicode_emoji: null,
    flags: 0,
  });
  const others = Array.from({ length: spec.rolesPerGuild }, (_, ordinal) =>
    role(roleIdAt(guildId, ordinal + 1), `role ${ordinal + 1}`, ordinal + 2, 0n),
  );
  return [
    role(guildId, '@everyone', 0, everyonePermissions),
    role(roleIdAt(guildId, 0), spec.bot.name, 1, botRolePermissions),
    ...others,
  ];
}

/** What a member looks like; the bot has its own role, people one of the others. */
export function bareMember(
  spec: WorldSpec,
  options: { readonly guildId: string; readonly userId: string },
): BareMemberPayload {
  const { guildId, userId } = options;
  const index = personIndexOf(userId, spec.people);
  const ordinal = index === undefined ? 0 : 1 + (index % Math.max(1, spec.rolesPerGuild));
  const hasRole = userId === applicationId || (index !== undefined && spec.rolesPerGuild > 0);
  return {
    avatar: null,
    banner: null,
    communication_disabled_until: null,
    flags: 0,
    joined_at: new Date(snowflakeMs(guildId) + 1000).toISOString(),
    nick: null,
    pending: false,
    premium_since: null,
    roles: hasRole ? [roleIdAt(guildId, ordinal)] : [],
    mute: false,
    deaf: false,
  };
}

/** A text channel by its place in the specification; the bot's rights are overwrites for its user. */
export function guildChannel(
  spec: WorldSpec,
  options: { readonly guildId: string; readonly ordinal: number },
): GuildChannelPayload {
  const { guildId, ordinal } = options;
  const described = spec.channels[ordinal];
  const deny = { none: permissionBits.viewChannel, read: permissionBits.sendMessages, write: 0n }[
    described?.bot ?? 'write'
  ];
  const overwrites: OverwritePayload[] =
    deny === 0n ? [] : [{ id: applicationId, type: 1, allow: '0', deny: deny.toString() }];
  return {
    id: channelIdAt(guildId, ordinal),
    type: 0,
    guild_id: guildId,
    name: described?.name ?? `channel-${ordinal}`,
    position: ordinal,
    parent_id: null,
    topic: null,
    nsfw: false,
    rate_limit_per_user: 0,
    permission_overwrites: overwrites,
    last_message_id: null,
    flags: 0,
  };
}

/** Ids of all guilds, in order, none of them materialised. */
export function* guildIdsOf(spec: WorldSpec): Generator<string> {
  for (let index = 0; index < spec.guilds; index++) yield guildIdAt(index);
}
