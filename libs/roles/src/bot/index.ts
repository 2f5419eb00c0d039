export type { BotConfig, BotParts } from './bot-parts.ts';
export type { DiscordGateway, DiscordSender, GatewayEars } from './discord-ports.ts';
export { type Bot, type BotSnapshot, startBot } from './start-bot.ts';
