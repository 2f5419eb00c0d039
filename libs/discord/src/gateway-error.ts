import { DiscordAPIError } from '@discordjs/rest';

/**
 * Why the gateway would not have us, by what a person can do about it.
 * - `bad_token`: the bot token is wrong or was reset (close 4004, HTTP 401).
 * - `missing_intents`: a privileged intent is asked for that the application was not given (4014).
 * - `bad_shards`: Discord wants other shard numbers (4010, 4011).
 * - `refused`: Discord will not have this client at all (4012, 4013).
 * - `unreachable`: Discord or the way to it is at fault; worth another try.
 */
export type GatewayFault =
  | 'bad_token'
  | 'missing_intents'
  | 'bad_shards'
  | 'refused'
  | 'unreachable';

export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly fault: GatewayFault;

  constructor(fault: GatewayFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * Close codes after which no client may come back
 * (discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
 */
const fatalCloses: Readonly<Record<number, readonly [GatewayFault, string]>> = {
  4004: ['bad_token', 'Discord does not accept the bot token'],
  4010: ['bad_shards', 'Discord does not know a shard of this number'],
  4011: ['bad_shards', 'the bot is in too many guilds for so few shards'],
  4012: ['refused', 'Discord no longer speaks this version of the gateway'],
  4013: ['refused', 'Discord does not know an intent that was asked for'],
  4014: ['missing_intents', 'the application was not given an intent that was asked for'],
};

/** The error of a close code that is final; undefined for every other. */
export function fatalClose(code: number): GatewayError | undefined {
  const meaning = fatalCloses[code];
  return meaning && new GatewayError(meaning[0], `${meaning[1]} (close code ${code})`);
}

/** Any error of a log-in as one of ours. Its text holds no bot token. */
export function gatewayErrorFrom(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const unauthorised =
    code === 'TokenInvalid' || (cause instanceof DiscordAPIError && cause.status === 401);
  return unauthorised
    ? new GatewayError('bad_token', 'Discord does not accept the bot token', { cause })
    : new GatewayError('unreachable', message, { cause });
}
