import type { Clock } from '@starling/clock';

/** Discord's epoch, the first millisecond of 2015 (discord.com/developers/docs/reference#snowflakes). */
const discordEpochMs = 1_420_070_400_000;

/** Ids that one millisecond has room for: 12 bits. */
const perMillisecond = 4096;

/** Makes Discord ids that never repeat and always rise. */
export interface SnowflakeMaker {
  next(): string;
}

/**
 * Ids in the order of time. A millisecond that is used up borrows from the next one, so that order
 * and uniqueness hold also at more than 4096 ids a millisecond, or when the clock steps back.
 */
export function createSnowflakes(clock: Pick<Clock, 'nowMs'>): SnowflakeMaker {
  let lastMs = 0;
  let used = 0;
  return {
    next() {
      const nowMs = Math.floor(clock.nowMs());
      if (nowMs > lastMs) {
        lastMs = nowMs;
        used = 0;
      } else if (used === perMillisecond) {
        lastMs += 1;
        used = 0;
      }
      return snowflakeOf(lastMs, used++);
    },
  };
}

/** The id of a millisecond (Unix epoch) with its low 22 bits given. */
export function snowflakeOf(atMs: number, low: number): string {
  return ((BigInt(atMs - discordEpochMs) << 22n) | BigInt(low)).toString();
}

/** When an id was made, Unix milliseconds. */
export function snowflakeMs(id: string): number {
  return Number(BigInt(id) >> 22n) + discordEpochMs;
}

/** The low 22 bits of an id. */
export function snowflakeLow(id: string): number {
  return Number(BigInt(id) & 0x3fffffn);
}

/** Whether a text has the form of an id: 17 to 20 digits, as in every route. */
export function isSnowflake(text: string): boolean {
  return /^\d{17,20}$/.test(text);
}

/**
 * The shard that a guild belongs to: `(guild_id >> 22) % num_shards`; everything without a guild is
 * shard 0's (discord.com/developers/docs/events/gateway#sharding-sharding-formula).
 */
export function shardOf(guildId: string | undefined, shardCount: number): number {
  return guildId === undefined ? 0 : Number((BigInt(guildId) >> 22n) % BigInt(shardCount));
}
