import { Client, GatewayIntentBits, Options } from 'discord.js';

export interface ClientSettings {
  /** Base of the REST API without its version: `https://discord.com/api`. */
  readonly apiUrl: string;
  /** Shards of this client, fixed from login on (facts: a Client's shards cannot be added to). */
  readonly shards: readonly number[];
  readonly shardCount: number;
  /** Asks for the privileged message-content intent; mentions, replies and DMs work without it. */
  readonly messageContent: boolean;
  /** REST calls a second of this process. */
  readonly globalRequestsPerSecond: number;
}

/** Larger waits for a rate limit are an error that the caller may act on, not a silent pause. */
const maxRateLimitWaitMs = 30_000;

/** One REST call, from its first byte out to its last byte in. */
const callTimeoutMs = 15_000;

/**
 * A discord.js Client that remembers next to nothing: with its default caches a bot grows by every
 * user it sees (facts §2.5: 250 001 users and 492 MB after 200 000 messages; lean: none).
 */
export function createClient(settings: ClientSettings): Client {
  return new Client({
    intents: intentsOf(settings),
    shards: [...settings.shards],
    shardCount: settings.shardCount,
    makeCache: Options.cacheWithLimits({
      ApplicationCommandManager: 0,
      ApplicationEmojiManager: 0,
      AutoModerationRuleManager: 0,
      BaseGuildEmojiManager: 0,
      DMMessageManager: 0,
      EntitlementManager: 0,
      GuildBanManager: 0,
      GuildEmojiManager: 0,
      GuildForumThreadManager: 0,
      GuildInviteManager: 0,
      GuildMemberManager: {
        maxSize: 1,
        keepOverLimit: (member) => member.id === member.client.user.id,
      },
      GuildMessageManager: 0,
      GuildScheduledEventManager: 0,
      GuildStickerManager: 0,
      GuildTextThreadManager: 0,
      MessageManager: 0,
      PresenceManager: 0,
      ReactionManager: 0,
      ReactionUserManager: 0,
      StageInstanceManager: 0,
      ThreadManager: 0,
      ThreadMemberManager: 0,
      UserManager: { maxSize: 200, keepOverLimit: (user) => user.id === user.client.user.id },
      VoiceStateManager: 0,
    }),
    allowedMentions: { parse: [], repliedUser: true },
    failIfNotExists: false,
    enforceNonce: true,
    rest: {
      api: settings.apiUrl,
      globalRequestsPerSecond: settings.globalRequestsPerSecond,
      // discord.js repeats at once and without a pause (facts §2.6: four tries in 39 ms); the answers
      // are repeated by us, with a back-off, under their nonce.
      retries: 0,
      timeout: callTimeoutMs,
      rejectOnRateLimit: ({ retryAfter }) => retryAfter > maxRateLimitWaitMs,
    },
  });
}

function intentsOf({ messageContent }: ClientSettings): GatewayIntentBits[] {
  return [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.DirectMessages,
    ...(messageContent ? [GatewayIntentBits.MessageContent] : []),
  ];
}
