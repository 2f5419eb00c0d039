import { ConfigError } from '@starling/config';

/** @throws {ConfigError} when there is none: no bot runs without its account */
export function requiredBotToken(botToken: string | undefined): string {
  if (botToken !== undefined) return botToken;
  throw new ConfigError([
    {
      variable: 'DISCORD_TOKEN',
      value: '',
      problem:
        'set it to the bot token of discord.com/developers/applications, or use `npm start`, which plays Discord itself',
    },
  ]);
}
