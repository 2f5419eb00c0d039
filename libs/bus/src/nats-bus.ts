import { type Clock, deadlineAfter } from '@starling/clock';
import { busLimits } from './bus-limits.ts';
import { dialNats } from './nats-dial.ts';
import { NatsLink } from './nats-link.ts';
import { NatsMessaging } from './nats-messaging.ts';
import { NatsStores } from './nats-stores.ts';
import type { Bus } from './port.ts';
import type { JobStore, JobStoreSpec, KeyValue, KeyValueSpec } from './store-port.ts';

/** How {@link connectNats} connects. */
export interface NatsOptions {
  /** `nats://` or `tls://`, with host and port and, where wanted, user and password or a token. */
  readonly url: string;
  /** How the server names the connection to its operator. */
  readonly name: string;
  /** How long to wait for a server that is not there at start. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** On how many servers of a cluster its stores are kept at least; default 1. */
  readonly replicas?: number;
  /** Gives the wait at start up. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to NATS. After that it reconnects without end; what is asked of it meanwhile fails with
 * `unreachable` at once, except `subscribe` and `feed`, which wait.
 * @throws {BusError} `unreachable` after `connectTimeoutMs`, naming the address and what to do; the
 *   signal's reason when that aborts first
 */
export async function connectNats(options: NatsOptions): Promise<Bus> {
  const { connection, address } = await dialNats(options);
  const link = new NatsLink({ connection, address, clock: options.clock });
  return new NatsBus(link, options.replicas ?? 1);
}

class NatsBus implements Bus {
  readonly messaging: NatsMessaging;
  readonly #link: NatsLink;
  readonly #stores: NatsStores;
  #ended: Promise<void> | undefined;

  constructor(link: NatsLink, replicas: number) {
    this.#link = link;
    this.messaging = new NatsMessaging(link);
    this.#stores = new NatsStores({ link, messaging: this.messaging, replicas });
  }

  get state(): Bus['state'] {
    return this.#link.state;
  }

  async openJobStore(spec: JobStoreSpec): Promise<JobStore> {
    return await this.#stores.openJobStore(spec);
  }

  async openKeyValue(spec: KeyValueSpec): Promise<KeyValue> {
    return await this.#stores.openKeyValue(spec);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  /** Handlers finish (they may still publish), then what was published is flushed. */
  async #end(): Promise<void> {
    const { clock, connection } = this.#link;
    using deadline = deadlineAfter(clock, busLimits.drainTimeoutMs);
    await this.messaging.drain(deadline.signal);
    this.#stores.close();
    if (this.#link.state === 'connected') {
      const flushed = connection.flush().catch(() => {});
      await this.#link.within(flushed, { timeoutMs: busLimits.confirmTimeoutMs });
    }
    await this.#link.close();
  }
}
