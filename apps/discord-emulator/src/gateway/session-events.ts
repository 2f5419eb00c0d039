/** READY and the GUILD_CREATEs that follow it. */
import { intentBits } from '../core/ports.ts';
import { shardOf } from '../core/snowflake.ts';
import type { Guild, World } from '../core/world.ts';
import type { ShardPlace } from '../faults/fault-schedule.ts';
import type { Session } from './session.ts';

/** Guilds of a shard, in the order of their ids. */
export function* guildIdsOfShard(world: World, place: ShardPlace): Generator<string> {
  for (const guildId of world.guildIds()) {
    if (shardOf(guildId, place.shardCount) === place.shardId) yield guildId;
  }
}

/** The payload of READY (discord.com/developers/docs/events/gateway-events#ready). */
export function readyPayload(
  world: World,
  session: Session,
  resumeGatewayUrl: string,
): Record<string, unknown> {
  return {
    v: 10,
    user: { ...world.bot, verified: true, mfa_enabled: false, email: null },
    user_settings: {},
    guilds: [...guildIdsOfShard(world, session)].map((id) => ({ id, unavailable: true })),
    session_id: session.id,
    session_type: 'normal',
    resume_gateway_url: resumeGatewayUrl,
    shard: [session.shardId, session.shardCount],
    application: { id: world.application.id, flags: world.application.flags },
    private_channels: [],
    presences: [],
    relationships: [],
    geo_ordered_rtc_regions: [],
  };
}

/**
 * The payload of GUILD_CREATE. Without the presences intent the members are the bot alone
 * (discord.com/developers/docs/events/gateway-events#guild-create).
 */
export function guildPayload(world: World, guild: Guild, intents: number): Record<string, unknown> {
  const members = [];
  const most = (intents & intentBits.GUILD_PRESENCES) === 0 ? 1 : largeThreshold;
  for (const member of guild.members()) {
    members.push(member);
    if (members.length >= most) break;
  }
  return {
    id: guild.id,
    name: guild.name,
    owner_id: guild.ownerId,
    icon: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    description: null,
    afk_channel_id: null,
    afk_timeout: 300,
    application_id: null,
    default_message_notifications: 1,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw_level: 0,
    verification_level: 1,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: 'en-US',
    public_updates_channel_id: null,
    rules_channel_id: null,
    safety_alerts_channel_id: null,
    system_channel_id: null,
    system_channel_flags: 0,
    vanity_url_code: null,
    max_members: 500_000,
    features: [],
    emojis: [],
    stickers: [],
    hub_type: null,
    incidents_data: null,
    roles: guild.roles(),
    joined_at: guild.member(world.bot.id)?.joined_at,
    large: guild.memberCount > largeThreshold,
    unavailable: false,
    member_count: guild.memberCount,
    voice_states: [],
    members,
    channels: guild.channels(),
    threads: guild.threads(),
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

/** Members sent with a guild, and from which on it is `large`: Discord's default. */
const largeThreshold = 50;
