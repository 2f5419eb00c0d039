import { type botSection, ConfigError, type ConfigOf } from '@starling/config';
import { fetchGatewayInfo } from '@starling/discord';
import { settingsErrorOf } from '@starling/roles';

type BotSettings = ConfigOf<typeof botSection>;

/**
 * The settings, with a bot token.
 * @throws {ConfigError} without one: nothing here can do without Discord
 */
export function requireBotToken(
  settings: BotSettings,
): BotSettings & { readonly botToken: string } {
  const { botToken } = settings;
  if (botToken !== undefined) return { ...settings, botToken };
  throw new ConfigError([
    {
      variable: 'DISCORD_TOKEN',
      value: '',
      problem:
        'set it to a bot token of discord.com/developers/applications, or run npm start, which brings its own Discord',
    },
  ]);
}

/** All shards of the bot, since one process holds them all: the number asked for, or Discord's own. */
export async function shardsOf(
  { apiUrl, botToken, shards }: BotSettings & { readonly botToken: string },
  signal: AbortSignal,
): Promise<{ readonly shards: readonly number[]; readonly shardCount: number }> {
  const shardCount =
    shards === 'auto' ? await recommendedShards({ apiUrl, botToken, signal }) : Number(shards);
  return { shardCount, shards: Array.from({ length: shardCount }, (_, shard) => shard) };
}

async function recommendedShards(options: Parameters<typeof fetchGatewayInfo>[0]): Promise<number> {
  try {
    return (await fetchGatewayInfo(options)).shards;
  } catch (error) {
    throw settingsErrorOf(error);
  }
}
