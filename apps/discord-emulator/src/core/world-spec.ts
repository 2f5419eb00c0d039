import { z } from 'zod';

/** A guild's text channel; the bot's rights in it are part of the world. */
const channelSpec = z.strictObject({
  name: z.string().min(1).max(100),
  /** `none`: the bot does not see it (50001). `read`: it may not write in it (50013). */
  bot: z.enum(['none', 'read', 'write']).default('write'),
});

/**
 * A world as data: who and what is there before anyone has said anything. The same specification
 * always gives the same ids, names and memberships.
 */
export const worldSpec = z.strictObject({
  /** Varies the names and who is a member of what. */
  seed: z.int().min(0).max(0xffffffff).default(1),
  guilds: z.int().min(0).max(10_000).default(8),
  /** The text channels that every guild has. */
  channels: z
    .array(channelSpec)
    .min(1)
    .max(500)
    .default([
      { name: 'general', bot: 'write' },
      { name: 'questions', bot: 'write' },
      { name: 'announcements', bot: 'read' },
      { name: 'staff', bot: 'none' },
    ]),
  /** Roles of every guild beside `@everyone` and the bot's own. */
  rolesPerGuild: z.int().min(0).max(250).default(3),
  /** People of every guild, the bot not counted; never more than `people`. */
  membersPerGuild: z.int().min(0).max(100_000).default(20),
  /** Everyone who can write to the bot. */
  people: z.int().min(1).max(1_000_000).default(200),
  /** The last so many people take no direct messages (50007). */
  peopleWithClosedDms: z.int().min(0).default(1),
  bot: z
    .strictObject({
      name: z.string().min(2).max(32).default('starling'),
      /** Privileged intents that the application has been granted; asking for another closes 4014. */
      privilegedIntents: z
        .array(z.enum(['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT']))
        .default(['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT']),
    })
    .default({
      name: 'starling',
      privilegedIntents: ['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT'],
    }),
  /** Shards that `GET /gateway/bot` recommends. */
  recommendedShards: z.int().min(1).max(16_384).default(4),
  /** IDENTIFYs at once in 5 s, the identify lanes (`session_start_limit.max_concurrency`). */
  maxConcurrency: z.int().min(1).max(1024).default(16),
  /** IDENTIFYs in 24 h (`session_start_limit.total`). */
  sessionStarts: z.int().min(1).max(1_000_000).default(1000),
});

/** A world's description with every default filled in. */
export type WorldSpec = z.output<typeof worldSpec>;
/** A world's description as it is written. */
export type WorldInput = z.input<typeof worldSpec>;
