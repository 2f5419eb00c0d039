import { DiscordAPIError, HTTPError, RateLimitError } from '@discordjs/rest';

/**
 * Why a call to Discord failed, by what follows from it.
 * - `gone`: its channel or message is no more, or closed to us: nothing will ever be shown there.
 * - `refused`: Discord does not take this request, now or later.
 * - `unauthorised`: the bot token is no longer valid; every later call fails too.
 * - `unavailable`: Discord or the way to it is at fault: worth another try.
 */
export type SendFault = 'gone' | 'refused' | 'unauthorised' | 'unavailable';

export class SendError extends Error {
  override readonly name = 'SendError';
  readonly fault: SendFault;

  constructor(fault: SendFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * Codes that end a conversation (discord.com/developers/docs/topics/opcodes-and-status-codes#json):
 * unknown channel, guild, message; missing access; cannot send to this user; missing permissions;
 * archived thread.
 */
const goneCodes: readonly unknown[] = [10003, 10004, 10008, 50001, 50007, 50013, 50083];

/** "API resource is currently overloaded", whatever its HTTP status. */
const overloaded = 130000;

/** Any error of discord.js' REST client as one of ours. Its text holds no bot token. */
export function sendErrorFrom(error: unknown): SendError {
  if (error instanceof SendError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SendError(faultOf(error), message, { cause: error });
}

function faultOf(error: unknown): SendFault {
  if (error instanceof DiscordAPIError) {
    if (error.status === 401) return 'unauthorised';
    if (error.code === overloaded) return 'unavailable';
    if (goneCodes.includes(error.code) || error.status === 404) return 'gone';
    // A 403 without a code is the network's edge: an HTML page that says nothing about the channel.
    return error.status === 403 && error.code === undefined ? 'unavailable' : 'refused';
  }
  // After one 401 discord.js drops its token and says so in this way.
  if (error instanceof Error && error.message.startsWith('Expected token to be set')) {
    return 'unauthorised';
  }
  if (error instanceof HTTPError || error instanceof RateLimitError) return 'unavailable';
  return 'unavailable';
}
