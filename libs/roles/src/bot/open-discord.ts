import type { Clock } from '@starling/clock';
import { type botSection, ConfigError, type ConfigOf } from '@starling/config';
import {
  ChannelSender,
  ClientGateway,
  createClient,
  EditPace,
  GatewayError,
  InteractionResponder,
} from '@starling/discord';
import { telemetryFor } from '@starling/telemetry';

export interface DiscordParts {
  readonly config: Pick<
    ConfigOf<typeof botSection>,
    'apiUrl' | 'messageContent' | 'requestsPerSecond' | 'editIntervalMs'
  >;
  /** Shards of this process. */
  readonly shards: readonly number[];
  /** Shards of the whole bot. */
  readonly shardCount: number;
  /** Processes that share the bot's REST calls a second, this one included. */
  readonly sharers: number;
  readonly clock: Clock;
  /** Discord ended the bot's sessions for good while it ran, or took its calls no longer. */
  readonly onFatal: (error: unknown) => void;
}

/** The real Discord, as a bot needs it. Nothing connects before `gateway.connect`. */
export function openDiscord(parts: DiscordParts): {
  readonly gateway: ClientGateway;
  readonly sender: ChannelSender;
  readonly interactions: InteractionResponder;
} {
  const { clock, config } = parts;
  const client = createClient({
    apiUrl: config.apiUrl,
    shards: parts.shards,
    shardCount: parts.shardCount,
    messageContent: config.messageContent,
    globalRequestsPerSecond: Math.max(1, Math.floor(config.requestsPerSecond / parts.sharers)),
  });
  const gateway = new ClientGateway({
    ...{ client, clock },
    logger: telemetryFor('bot').log('gateway'),
    onFatal: (error) => parts.onFatal(settingsErrorOf(error)),
  });
  const pace = new EditPace({ clock, minIntervalMs: config.editIntervalMs });
  // A new process asks Discord anew whether it takes the bot token; this one can only be silent.
  const onUnauthorised = parts.onFatal;
  const { rest } = client;
  return {
    gateway,
    sender: new ChannelSender({ rest, pace, onUnauthorised }),
    interactions: new InteractionResponder(rest),
  };
}

/** What Discord objects to as the setting that it comes from, with the remedy; any other error as it is. */
export function settingsErrorOf(error: unknown): unknown {
  if (!(error instanceof GatewayError)) return error;
  switch (error.fault) {
    case 'bad_token':
      return new ConfigError([
        {
          variable: 'DISCORD_TOKEN',
          value: '(hidden)',
          problem: `${error.message}; copy it anew from discord.com/developers/applications, under Bot`,
        },
      ]);
    case 'missing_intents':
      return new ConfigError([
        {
          variable: 'STARLING_MESSAGE_CONTENT',
          value: 'true',
          problem: `${error.message}; switch on "Message Content Intent" at discord.com/developers/applications, under Bot, or set it to false`,
        },
      ]);
    case 'bad_shards':
      return new ConfigError([
        {
          variable: 'STARLING_SHARDS',
          value: '',
          problem: `${error.message}; set it to auto`,
        },
      ]);
    case 'refused':
    case 'unreachable':
      return error;
  }
}
