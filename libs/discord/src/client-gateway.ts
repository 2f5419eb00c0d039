/**
 * The gateway as discord.js' Client holds it. Events are read from its raw dispatches, which come
 * whether or not the guild or channel is cached, also while the client still waits for its guilds.
 */
import type { Clock } from '@starling/clock';
import { type UserId, userId } from '@starling/contracts';
import type { Logger } from '@starling/telemetry';
import { type Client, Events, GatewayDispatchEvents, Status } from 'discord.js';
import { fatalClose, type GatewayError, gatewayErrorFrom } from './gateway-error.ts';

/** Who is called back. What comes is as Discord sent it: nothing in it is trusted yet. */
export interface DispatchEars {
  message(data: unknown): void;
  deleted(data: unknown): void;
  interaction(data: unknown): void;
}

/** Which ear hears which event. */
const heardBy: readonly (readonly [event: GatewayDispatchEvents, ear: keyof DispatchEars])[] = [
  [GatewayDispatchEvents.MessageCreate, 'message'],
  [GatewayDispatchEvents.MessageDelete, 'deleted'],
  [GatewayDispatchEvents.MessageDeleteBulk, 'deleted'],
  [GatewayDispatchEvents.InteractionCreate, 'interaction'],
];

export interface GatewaySnapshot {
  /** Shards with a live, ready session. */
  readonly ready: number;
  readonly shards: number;
}

export interface ClientGatewayParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Discord ended a session for good while it ran, for example because the token was reset. */
  readonly onFatal: (error: GatewayError) => void;
}

/** Our own close code: the session stays and may be resumed (facts §2.2). */
const resumableClose = 4200;

/**
 * How long a socket may take to close. A dead one answers never, and discord.js waits 30 s for it; a
 * shard that still waits for its READY is waited for longer.
 */
const closeTimeoutMs = 2_000;

export class ClientGateway implements AsyncDisposable {
  readonly #client: Client;
  readonly #clock: Clock;
  #self: UserId | undefined;
  #connected = false;
  #fatal: GatewayError | undefined;
  #closing: Promise<void> | undefined;
  #disposing: Promise<void> | undefined;

  constructor({ client, clock, logger, onFatal }: ClientGatewayParts) {
    this.#client = client;
    this.#clock = clock;
    client.ws.on(GatewayDispatchEvents.Ready, (data: unknown) => this.#noteSelf(data));
    // An error event without a listener would end the process.
    client.on(Events.Error, (error) => logger.warn('client.error', { error }));
    client.on(Events.Warn, (message) => logger.warn('client.warning', { message }));
    client.on(Events.ShardError, (error, shard) => logger.warn('shard.error', { shard, error }));
    client.on(Events.ShardReady, (shard) => logger.ok('shard.ready', { shard }));
    client.on(Events.ShardResume, (shard, replayed) =>
      logger.ok('shard.resumed', { shard, replayed }),
    );
    client.on(Events.ShardReconnecting, (shard) => logger.info('shard.reconnecting', { shard }));
    client.on(Events.ShardDisconnect, ({ code }, shard) => {
      const error = fatalClose(code);
      if (!error) return;
      this.#fatal ??= error;
      logger.error('shard.refused', { shard, code, error });
      if (this.#connected) onFatal(error);
    });
  }

  /** Our own account; undefined until the first READY. */
  get self(): UserId | undefined {
    return this.#self;
  }

  get snapshot(): GatewaySnapshot {
    const shards = [...this.#client.ws.shards.values()];
    // Guilds that are still awaited hold up nothing here.
    const live = [Status.Ready, Status.WaitingForGuilds];
    return {
      ready: shards.filter(({ status }) => live.includes(status)).length,
      shards: shards.length,
    };
  }

  listen(ears: DispatchEars): Disposable {
    const { ws } = this.#client;
    const heard = heardBy.map(([event, ear]) => {
      const listener = (data: unknown) => ears[ear](data);
      ws.on(event, listener);
      return { event, listener };
    });
    return {
      [Symbol.dispose]() {
        for (const { event, listener } of heard) ws.off(event, listener);
      },
    };
  }

  /**
   * Logs in; resolves when every shard of the client has its session.
   * @throws {GatewayError} with the fault that a person can act on; the signal's reason when it aborts
   */
  async connect(login: { readonly botToken: string; readonly signal: AbortSignal }): Promise<void> {
    const { botToken, signal } = login;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const loggingIn = this.#client.login(botToken);
      loggingIn.catch(() => {});
      await Promise.race([loggingIn, aborted.promise]);
      this.#connected = true;
    } catch (error) {
      if (signal.aborted) throw error;
      throw this.#fatal ?? gatewayErrorFrom(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Closes every shard so that its session can be resumed; nothing comes in afterwards. A socket that
   * does not close within two seconds is waited for no longer.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const [event] of heardBy) this.#client.ws.removeAllListeners(event);
    await this.#within(innerSockets(this.#client)?.destroy({ code: resumableClose }));
  }

  /** Closes, then lets go of timers and token. */
  [Symbol.asyncDispose](): Promise<void> {
    // `Client.destroy` alone would close with 1000, which ends the sessions (facts §2.4).
    this.#disposing ??= this.close().then(() => this.#within(this.#client.destroy()));
    return this.#disposing;
  }

  async #within(closing: Promise<void> | undefined): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _timer = this.#clock.schedule(closeTimeoutMs, late.resolve);
    await Promise.race([closing, late.promise]);
  }

  #noteSelf(data: unknown): void {
    const user = isRecord(data) && isRecord(data.user) ? userId.safeParse(data.user.id) : undefined;
    if (user?.success) this.#self = user.data;
  }
}

/**
 * The inner manager of the sockets, `client.ws._ws`: an internal of discord.js 14 (its version is
 * pinned), and the only way to close without ending the sessions. Absent before the log-in.
 */
function innerSockets(
  client: Client,
): { destroy(options: { code: number }): Promise<void> } | undefined {
  const inner: unknown = Reflect.get(client.ws, '_ws');
  return isRecord(inner) && typeof inner.destroy === 'function'
    ? (inner as { destroy(options: { code: number }): Promise<void> })
    : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
