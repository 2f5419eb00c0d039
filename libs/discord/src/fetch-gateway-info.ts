import { REST } from '@discordjs/rest';
import { Routes } from 'discord-api-types/v10';
import { GatewayError, gatewayErrorFrom } from './gateway-error.ts';

/** What Discord says before anyone connects (discord.com/developers/docs/events/gateway#get-gateway-bot). */
export interface GatewayInfo {
  /** Shards that Discord recommends. */
  readonly shards: number;
  /** IDENTIFYs that are left until `resetAfterMs` from now. */
  readonly remaining: number;
  readonly resetAfterMs: number;
  /** IDENTIFYs that may be sent at once, each with another remainder of its shard's number. */
  readonly maxConcurrency: number;
}

const timeoutMs = 15_000;
const retries = 2;

/**
 * Asks Discord for shard count and session limits.
 * @throws {GatewayError} `bad_token`, `unreachable`
 */
export async function fetchGatewayInfo(options: {
  readonly apiUrl: string;
  readonly botToken: string;
  readonly signal: AbortSignal;
}): Promise<GatewayInfo> {
  const { apiUrl, botToken, signal } = options;
  const rest = new REST({ api: apiUrl, retries, timeout: timeoutMs }).setToken(botToken);
  try {
    return infoFrom(await rest.get(Routes.gatewayBot(), { signal }));
  } catch (error) {
    signal.throwIfAborted();
    throw gatewayErrorFrom(error);
  } finally {
    rest.clearHashSweeper();
    rest.clearHandlerSweeper();
  }
}

function infoFrom(body: unknown): GatewayInfo {
  const { shards, session_start_limit: limit } = record(body);
  const { max_concurrency: maxConcurrency, remaining, reset_after: resetAfterMs } = record(limit);
  if (
    typeof shards === 'number' &&
    typeof remaining === 'number' &&
    typeof resetAfterMs === 'number' &&
    typeof maxConcurrency === 'number'
  ) {
    return { shards, remaining, resetAfterMs, maxConcurrency };
  }
  throw new GatewayError('unreachable', 'what answered is not Discord: /gateway/bot has no shards');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
