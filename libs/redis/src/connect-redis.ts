import { type Clock, deadlineAfter, type Random, systemRandom } from '@starling/clock';
import { log } from '@starling/telemetry';
import { Redis } from 'ioredis';
import { IoredisConnection, type RedisConnection } from './redis-connection.ts';
import { RedisError, withoutArguments } from './redis-error.ts';

/** How {@link connectRedis} connects. */
export interface RedisOptions {
  /** `redis://` or `rediss://`, with host, port, and where wanted user, password and database. */
  readonly url: string;
  /** A command that takes longer has failed. */
  readonly commandTimeoutMs: number;
  /** How long to wait for a server that is not there at start. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** Spreads the tries to reconnect; the machine's own randomness by default. */
  readonly random?: Random;
  /** Gives the wait at start up. */
  readonly signal?: AbortSignal;
}

const logger = log('redis');

/** Tries to reconnect: 50 ms, doubled up to a second, plus as much again at random. */
const firstRetryMs = 50;
const longestRetryMs = 1_000;
/**
 * A connection that has been silent for this many command timeouts while it owed an answer is given
 * up: a stopped server or a cut cable closes nothing, and what is written to it would pile up.
 */
const silentTimeouts = 5;

/**
 * Connects to Redis. After that it reconnects without end, and commands fail at once meanwhile:
 * nothing is queued for later and nothing is sent twice.
 * @throws {RedisError} `unreachable` after `connectTimeoutMs`, naming the address and what to do; the
 *   signal's reason when that aborts first
 */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { clock, commandTimeoutMs, connectTimeoutMs, random = systemRandom, signal } = options;
  signal?.throwIfAborted();
  const url = new URL(options.url);
  const address = `${url.hostname}:${url.port || 6379}`;
  const client = new Redis(options.url, {
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    commandTimeout: commandTimeoutMs,
    socketTimeout: silentTimeouts * commandTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // 0: what was in flight fails with its connection, instead of waiting for the next one.
    maxRetriesPerRequest: 0,
    retryStrategy: (tries) => {
      const pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(tries - 1, 10));
      return pauseMs + random.integer(pauseMs);
    },
  });
  let last: unknown;
  let refused = false;
  using deadline = deadlineAfter(clock, connectTimeoutMs);
  const ready = await new Promise<boolean>((resolve) => {
    client.on('error', (error: unknown) => {
      last = error;
      // An answer, and not a failure to get one: another try would be refused too.
      refused = error instanceof Error && error.name === 'ReplyError';
      if (refused) resolve(false);
    });
    // Told once, so that nobody wonders what happens.
    const tell = () => {
      if (!refused) logger.warn('server.awaited', { address, forMs: connectTimeoutMs });
    };
    client.once('error', tell);
    client.once('ready', () => {
      client.off('error', tell);
      resolve(true);
    });
    const ends = signal ? AbortSignal.any([deadline.signal, signal]) : deadline.signal;
    ends.addEventListener('abort', () => resolve(false), { once: true });
    client.connect().catch((error: unknown) => {
      last ??= error;
    });
  });
  if (ready) return new IoredisConnection({ client, address, clock });
  client.disconnect();
  signal?.throwIfAborted();
  const reason = last instanceof Error ? last.message || last.name : 'no answer';
  const advice = refused ? 'check REDIS_URL' : 'start it, or set REDIS_URL to where it is';
  const within = refused ? '' : ` within ${connectTimeoutMs} ms`;
  throw new RedisError(
    'unreachable',
    `Redis at ${address} cannot be reached${within} (${reason}); ${advice}`,
    { cause: withoutArguments(last) },
  );
}
