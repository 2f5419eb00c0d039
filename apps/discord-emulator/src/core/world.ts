import type { Clock, Random } from '@starling/clock';
import { type BotRights, createChannelStore } from './channel-store.ts';
import type { KnobStore } from './knobs.ts';
import { createMessageStore, type MessageStore } from './message-store.ts';
import type {
  ChannelPayload,
  DmChannelPayload,
  GuildChannelPayload,
  MemberPayload,
  RolePayload,
  ThreadPayload,
  UserPayload,
} from './payloads.ts';
import { createSnowflakes, type SnowflakeMaker } from './snowflake.ts';
import {
  bareMember,
  botUser,
  guildIdsOf,
  guildName,
  memberIndexes,
  person,
  roles,
} from './world-generator.ts';
import { applicationId, guildIndexOf, personIdAt, personIndexOf } from './world-ids.ts';
import { type WorldInput, type WorldSpec, worldSpec } from './world-spec.ts';

/** A guild of the world, made when asked for. */
export interface Guild {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly memberCount: number;
  roles(): RolePayload[];
  channels(): GuildChannelPayload[];
  threads(): ThreadPayload[];
  /** People of the guild, the bot first; made one by one. */
  members(): Iterable<MemberPayload>;
  /** @returns undefined when the user is no member */
  member(userId: string): MemberPayload | undefined;
}

/** Everything that exists: one store behind the gateway, the REST API and the people's door. */
export interface World {
  readonly spec: WorldSpec;
  readonly snowflakes: SnowflakeMaker;
  readonly application: { readonly id: string; readonly name: string; readonly flags: number };
  readonly bot: UserPayload;
  readonly botToken: string;
  readonly messages: MessageStore;

  guildIds(): Iterable<string>;
  guild(guildId: string): Guild | undefined;
  /** A person or the bot. */
  user(userId: string): UserPayload | undefined;
  /** A person by number, 0 to `spec.people` - 1. */
  personAt(index: number): UserPayload | undefined;
  /** Whether a person takes direct messages; the bot gets 50007 otherwise. */
  takesDms(userId: string): boolean;

  channel(channelId: string): ChannelPayload | undefined;
  /** The bot's rights in a channel; all of them in direct messages. */
  botRights(channelId: string): BotRights;
  /** The direct-message channel of the bot and a person, made at need. @throws WorldFullError */
  dmChannel(userId: string): DmChannelPayload | undefined;
  /** Puts a thread, or any changed channel, in its place. @throws WorldFullError */
  putChannel(channel: ChannelPayload): void;
  /** @returns false when only the specification knows the channel: that one cannot be removed */
  removeChannel(channelId: string): boolean;
}

/** Application flags that go with the granted privileged intents (docs: application object). */
const applicationFlags = {
  GUILD_PRESENCES: 1 << 12,
  GUILD_MEMBERS: 1 << 14,
  MESSAGE_CONTENT: 1 << 18,
} as const;

/** @throws z.ZodError when the description is wrong */
export function createWorld(parts: {
  readonly clock: Clock;
  /** Makes the bot token, nothing else: the world itself comes from its seed. */
  readonly random: Random;
  readonly knobs: KnobStore;
  readonly world?: WorldInput;
  /** Given when the bot was started with one before. */
  readonly botToken?: string;
}): World {
  const spec = worldSpec.parse(parts.world ?? {});
  const snowflakes = createSnowflakes(parts.clock);
  const bot = botUser(spec);
  const limits = () => parts.knobs.current;

  const userOf = (userId: string): UserPayload | undefined => {
    if (userId === bot.id) return bot;
    const index = personIndexOf(userId, spec.people);
    return index === undefined ? undefined : person(spec, index);
  };
  const channels = createChannelStore({
    spec,
    snowflakes,
    userOf,
    bound: () => limits().channelsKept,
  });

  function guild(guildId: string): Guild | undefined {
    const index = guildIndexOf(guildId, spec.guilds);
    if (index === undefined) return undefined;
    const people = memberIndexes(spec, index);
    const memberOf = (user: UserPayload): MemberPayload => ({
      ...bareMember(spec, { guildId, userId: user.id }),
      user,
    });
    return {
      id: guildId,
      name: guildName(spec, index),
      ownerId: personIdAt(people.at(0)),
      memberCount: people.size + 1,
      roles: () => roles(spec, guildId),
      channels: () => channels.ofGuild(guildId),
      threads: () => channels.threadsOf(guildId),
      *members() {
        yield memberOf(bot);
        for (let place = 0; place < people.size; place++)
          yield memberOf(person(spec, people.at(place)));
      },
      member(userId) {
        const user = userOf(userId);
        const who = personIndexOf(userId, spec.people);
        const isMember = userId === bot.id || (who !== undefined && people.has(who));
        return user && isMember ? memberOf(user) : undefined;
      },
    };
  }

  return {
    spec,
    snowflakes,
    application: {
      id: applicationId,
      name: spec.bot.name,
      flags: spec.bot.privilegedIntents.reduce((all, name) => all | applicationFlags[name], 0),
    },
    bot,
    botToken: parts.botToken ?? newBotToken(parts.random),
    messages: createMessageStore(() => ({
      perChannel: limits().messagesKeptPerChannel,
      total: limits().messagesKept,
    })),
    guildIds: () => guildIdsOf(spec),
    guild,
    user: userOf,
    personAt: (index) => (index >= 0 && index < spec.people ? person(spec, index) : undefined),
    takesDms(userId) {
      const index = personIndexOf(userId, spec.people);
      return index !== undefined && index < spec.people - spec.peopleWithClosedDms;
    },
    channel: channels.get,
    botRights: channels.botRights,
    dmChannel: channels.dm,
    putChannel: channels.put,
    removeChannel: channels.remove,
  };
}

/** The form of Discord's bot tokens: the bot's id in base64, then two random parts. */
function newBotToken(random: Random): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
  const part = (length: number) =>
    Array.from({ length }, () => letters[random.integer(letters.length)]).join('');
  return `${Buffer.from(applicationId).toString('base64url')}.${part(6)}.${part(38)}`;
}
