/**
 * Ids of a generated world by arithmetic, so that 10 000 guilds cost nothing before they are
 * touched: the millisecond names the guild or the person, the low 22 bits the thing inside it.
 * Consecutive guilds fall on consecutive shards, because the shard is taken from the millisecond.
 */
import { isSnowflake, snowflakeLow, snowflakeMs, snowflakeOf } from './snowflake.ts';

/** 2020-01-01: the application and its bot. */
const applicationMs = 1_577_836_800_000;
/** 2020-01-02: people, one a millisecond; there is room for 86 400 000 of them. */
const peopleMs = applicationMs + 86_400_000;
/** 2021-01-01: guilds, one a millisecond. */
const guildsMs = 1_609_459_200_000;

/** 4 bits say what an id inside a guild names, 18 count. */
const kinds = { guild: 0, channel: 1, role: 2 } as const;
const ordinalBits = 18;

export const applicationId = snowflakeOf(applicationMs, 0);
export const guildIdAt = (index: number): string => snowflakeOf(guildsMs + index, 0);
export const personIdAt = (index: number): string => snowflakeOf(peopleMs + index, 0);
export const channelIdAt = (guildId: string, ordinal: number): string =>
  snowflakeOf(snowflakeMs(guildId), (kinds.channel << ordinalBits) | ordinal);
export const roleIdAt = (guildId: string, ordinal: number): string =>
  snowflakeOf(snowflakeMs(guildId), (kinds.role << ordinalBits) | ordinal);

/** @returns the guild's index, if the id is a generated guild's within `guilds` */
export function guildIndexOf(id: string, guilds: number): number | undefined {
  if (!isSnowflake(id) || snowflakeLow(id) !== 0) return undefined;
  return within(snowflakeMs(id) - guildsMs, guilds);
}

/** @returns the person's index, if the id is a generated person's within `people` */
export function personIndexOf(id: string, people: number): number | undefined {
  if (!isSnowflake(id) || snowflakeLow(id) !== 0) return undefined;
  return within(snowflakeMs(id) - peopleMs, people);
}

/** @returns guild and ordinal, if the id is a generated channel's within the bounds */
export function channelPlaceOf(
  id: string,
  bounds: { readonly guilds: number; readonly channels: number },
): { readonly guildId: string; readonly ordinal: number } | undefined {
  if (!isSnowflake(id)) return undefined;
  const index = within(snowflakeMs(id) - guildsMs, bounds.guilds);
  const low = snowflakeLow(id);
  if (index === undefined || low >> ordinalBits !== kinds.channel) return undefined;
  const ordinal = within(low & ((1 << ordinalBits) - 1), bounds.channels);
  return ordinal === undefined ? undefined : { guildId: guildIdAt(index), ordinal };
}

function within(index: number, bound: number): number | undefined {
  return index >= 0 && index < bound ? index : undefined;
}
