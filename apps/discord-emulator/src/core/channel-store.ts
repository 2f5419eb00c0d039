import type {
  ChannelPayload,
  DmChannelPayload,
  GuildChannelPayload,
  ThreadPayload,
  UserPayload,
} from './payloads.ts';
import { permissionBits } from './permissions.ts';
import type { SnowflakeMaker } from './snowflake.ts';
import { guildChannel } from './world-generator.ts';
import { applicationId, channelPlaceOf } from './world-ids.ts';
import type { WorldSpec } from './world-spec.ts';

/** What the bot may do in a channel. */
export interface BotRights {
  readonly view: boolean;
  readonly send: boolean;
}

/** The world holds as many made channels as it may. */
export class WorldFullError extends Error {
  override readonly name = 'WorldFullError';
}

/** Channels: the specification's by arithmetic, and over them what has been made or changed since. */
export interface ChannelStore {
  get(channelId: string): ChannelPayload | undefined;
  ofGuild(guildId: string): GuildChannelPayload[];
  threadsOf(guildId: string): ThreadPayload[];
  dm(userId: string): DmChannelPayload | undefined;
  put(channel: ChannelPayload): void;
  remove(channelId: string): boolean;
  botRights(channelId: string): BotRights;
}

export function createChannelStore(parts: {
  readonly spec: WorldSpec;
  readonly snowflakes: SnowflakeMaker;
  readonly userOf: (userId: string) => UserPayload | undefined;
  /** Channels made or changed at run time. */
  readonly bound: () => number;
}): ChannelStore {
  const { spec } = parts;
  const made = new Map<string, ChannelPayload>();
  const dmByUser = new Map<string, string>();
  const threadsByGuild = new Map<string, Set<string>>();

  function get(channelId: string): ChannelPayload | undefined {
    const changed = made.get(channelId);
    if (changed) return changed;
    const place = channelPlaceOf(channelId, {
      guilds: spec.guilds,
      channels: spec.channels.length,
    });
    return place && guildChannel(spec, place);
  }

  function put(channel: ChannelPayload): void {
    if (!made.has(channel.id) && made.size >= parts.bound()) {
      throw new WorldFullError(`the world holds its ${parts.bound()} made channels (channelsKept)`);
    }
    made.set(channel.id, channel);
    if (channel.type === 11 || channel.type === 12) {
      const threads = threadsByGuild.get(channel.guild_id) ?? new Set();
      threadsByGuild.set(channel.guild_id, threads.add(channel.id));
    }
  }

  function botRights(channelId: string): BotRights {
    const channel = get(channelId);
    if (!channel) return { view: false, send: false };
    if (channel.type === 1) return { view: true, send: true };
    if (channel.type !== 0) return botRights(channel.parent_id);
    const denied = channel.permission_overwrites
      .filter(({ id }) => id === applicationId)
      .reduce((all, { deny }) => all | BigInt(deny), 0n);
    const view = (denied & permissionBits.viewChannel) === 0n;
    return { view, send: view && (denied & permissionBits.sendMessages) === 0n };
  }

  return {
    get,
    put,
    botRights,
    ofGuild: (guildId) =>
      spec.channels.flatMap((_, ordinal) => {
        const generated = guildChannel(spec, { guildId, ordinal });
        const channel = made.get(generated.id) ?? generated;
        return channel.type === 0 ? [channel] : [];
      }),
    threadsOf: (guildId) =>
      [...(threadsByGuild.get(guildId) ?? [])].flatMap((id) => {
        const thread = made.get(id);
        return thread?.type === 11 || thread?.type === 12 ? [thread] : [];
      }),
    dm(userId) {
      const known = made.get(dmByUser.get(userId) ?? '');
      if (known?.type === 1) return known;
      const user = parts.userOf(userId);
      if (!user || user.bot) return undefined;
      const channel: DmChannelPayload = {
        id: parts.snowflakes.next(),
        type: 1,
        last_message_id: null,
        flags: 0,
        recipients: [user],
      };
      put(channel);
      dmByUser.set(userId, channel.id);
      return channel;
    },
    remove(channelId) {
      const channel = made.get(channelId);
      if (!channel || channel.type === 0) return false;
      made.delete(channelId);
      if (channel.type === 1) dmByUser.delete(channel.recipients[0]?.id ?? '');
      else threadsByGuild.get(channel.guild_id)?.delete(channelId);
      return true;
    },
  };
}
