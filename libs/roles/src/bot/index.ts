export { type Jobs, openJobs } from '../delivery/open-jobs.ts';
export type { BotConfig, BotParts } from './bot-parts.ts';
export type {
  DiscordGateway,
  DiscordInteractions,
  DiscordSender,
  GatewayEars,
} from './discord-ports.ts';
export { type DiscordParts, openDiscord, settingsErrorOf } from './open-discord.ts';
export { type Bot, type BotSnapshot, startBot } from './start-bot.ts';
