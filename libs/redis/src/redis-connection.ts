import type { Clock } from '@starling/clock';
import { counter, log } from '@starling/telemetry';
import type { Redis } from 'ioredis';
import { RedisError, type RedisErrorCode, withoutArguments } from './redis-error.ts';

/** What Redis answers: bulk and simple strings, integers, nil, and lists of these (RESP). */
export type RedisReply = string | number | null | readonly RedisReply[];

/** `ready`; `reconnecting`: lost, and commands fail at once; `closed`: ended by us. */
export type RedisState = 'ready' | 'reconnecting' | 'closed';

/** A connection to one Redis server. Disposing it waits for what is in flight, then ends it. */
export interface RedisConnection extends AsyncDisposable {
  readonly state: RedisState;
  /**
   * Runs one command. Commands that are sent in the same turn share a round trip.
   * @throws {RedisError}
   */
  command(name: string, ...args: readonly (string | number)[]): Promise<RedisReply>;
}

const logger = log('redis');
const failures = counter('starling.redis.failures');

/** The connection over ioredis. */
export class IoredisConnection implements RedisConnection {
  readonly #client: Redis;
  readonly #address: string;
  readonly #clock: Clock;
  #state: RedisState = 'ready';
  #lostAtMs = 0;
  #inFlight = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #ended: Promise<void> | undefined;

  /** @param parts.client ready for commands */
  constructor(parts: { readonly client: Redis; readonly address: string; readonly clock: Clock }) {
    this.#client = parts.client;
    this.#address = parts.address;
    this.#clock = parts.clock;
    this.#client.on('close', () => this.#become('reconnecting'));
    this.#client.on('ready', () => this.#become('ready'));
  }

  get state(): RedisState {
    return this.#state;
  }

  async command(name: string, ...args: readonly (string | number)[]): Promise<RedisReply> {
    if (this.#state === 'closed' || this.#ended !== undefined) throw this.#failed('closed', name);
    if (this.#state === 'reconnecting') throw this.#failed('unreachable', name);
    this.#inFlight += 1;
    try {
      // The client types every reply as unknown; RESP2 has no others than these.
      return (await this.#client.call(name, ...args)) as RedisReply;
    } catch (error) {
      throw this.#failed(codeOf(error), name, error);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  /** Each command in flight ends by itself within the command timeout, so this does too. */
  async #end(): Promise<void> {
    this.#idle = Promise.withResolvers<void>();
    if (this.#inFlight > 0) await this.#idle.promise;
    this.#become('closed');
    this.#client.disconnect();
  }

  /** One line for each change of state, however many commands fail meanwhile. */
  #become(state: RedisState): void {
    if (this.#state === 'closed' || this.#state === state) return;
    this.#state = state;
    const address = this.#address;
    if (state === 'reconnecting') {
      this.#lostAtMs = this.#clock.monotonicMs();
      logger.warn('connection.lost', { address });
    } else if (state === 'ready') {
      const lostForMs = Math.round(this.#clock.monotonicMs() - this.#lostAtMs);
      logger.ok('connection.restored', { address, lostForMs });
    }
  }

  #failed(code: RedisErrorCode, command: string, cause?: unknown): RedisError {
    failures.add(1, { code });
    const reason = {
      unreachable: `Redis at ${this.#address} is not reachable now`,
      timeout: `Redis at ${this.#address} did not answer in time`,
      rejected: cause instanceof Error ? cause.message : 'refused',
      closed: 'the connection is closed',
    }[code];
    return new RedisError(code, `${command}: ${reason}`, {
      ...(cause !== undefined && { cause: withoutArguments(cause) }),
    });
  }
}

/** The client's errors have no codes; names and messages of ioredis 6.0.0. */
function codeOf(error: unknown): RedisErrorCode {
  if (!(error instanceof Error)) return 'unreachable';
  if (error.name === 'ReplyError') return 'rejected';
  // Not written at all, against: written, and then the connection was lost or silent.
  return error.message.startsWith("Stream isn't writeable") ? 'unreachable' : 'timeout';
}
