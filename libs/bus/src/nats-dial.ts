import { type Clock, deadlineAfter } from '@starling/clock';
import { log } from '@starling/telemetry';
import {
  type ConnectionOptions,
  errors,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
} from 'nats';
import { nodeResolveHost } from 'nats/lib/node_transport.js';
import { BusError } from './port.ts';
import { TurnTransport } from './turn-transport.ts';

const logger = log('bus');

/** One try to connect: a server on the same network answers in a few milliseconds. */
const dialTimeoutMs = 2_000;
/** Between two tries at start, and the least between two tries to reconnect. */
const retryPauseMs = 100;
/** Spread of the tries to reconnect, so that a fleet does not come back in one instant. */
const reconnectJitterMs = 400;
/** A server that is frozen is noticed after two of these without an answer. */
const pingIntervalMs = 10_000;

/**
 * Waits for the server and connects; a wait is told once, so that nobody wonders what happens.
 * @throws {BusError} `unreachable` when it is not there in time or refuses us for good; the signal's
 *   reason when that aborts first
 */
export async function dialNats(options: {
  readonly url: string;
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ readonly connection: NatsConnection; readonly address: string }> {
  const { clock, connectTimeoutMs, name, signal } = options;
  const { servers, ...credentials } = parseUrl(options.url);
  using deadline = deadlineAfter(clock, connectTimeoutMs);
  for (let tries = 1; ; tries += 1) {
    signal?.throwIfAborted();
    try {
      setTransportFactory({ factory: () => new TurnTransport(), dnsResolveFn: nodeResolveHost });
      const connection = await NatsConnectionImpl.connect({
        servers,
        ...credentials,
        name,
        timeout: Math.min(dialTimeoutMs, Math.max(1, deadline.remainingMs())),
        maxReconnectAttempts: -1,
        // Without it the client ends for good at the second refusal, and the process would live on deaf:
        // a server that restarts with other users may be set right again.
        ignoreAuthErrorAbort: true,
        reconnectTimeWait: retryPauseMs,
        reconnectJitter: reconnectJitterMs,
        reconnectJitterTLS: reconnectJitterMs,
        pingInterval: pingIntervalMs,
        noAsyncTraces: true,
      });
      return { connection, address: servers };
    } catch (error) {
      if (error instanceof errors.AuthorizationError) {
        throw unreachable(servers, 'it refuses these credentials; check NATS_URL', error);
      }
      if (deadline.remainingMs() <= retryPauseMs) {
        const advice = 'start it, or set NATS_URL to where it is';
        throw unreachable(
          servers,
          `it did not answer within ${connectTimeoutMs} ms; ${advice}`,
          error,
        );
      }
      if (tries === 1) logger.warn('server.awaited', { address: servers, forMs: connectTimeoutMs });
      await clock.sleep(retryPauseMs, signal && { signal });
    }
  }
}

/** The client wants host and port, and credentials apart from them. */
function parseUrl(text: string): ConnectionOptions & { readonly servers: string } {
  const url = new URL(text);
  const user = decodeURIComponent(url.username);
  const pass = decodeURIComponent(url.password);
  return {
    servers: `${url.hostname}:${url.port || 4222}`,
    ...(user !== '' && (url.password === '' ? { token: user } : { user, pass })),
    ...(url.protocol === 'tls:' && { tls: {} }),
  };
}

function unreachable(address: string, why: string, cause: unknown): BusError {
  return new BusError('unreachable', `NATS at ${address} cannot be reached: ${why}`, { cause });
}
