import { type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { type Clock, deadlineAfter } from '@starling/clock';
import { busLimits } from './bus-limits.ts';
import { reportServerError } from './bus-report.ts';
import { dialNats } from './nats-dial.ts';
import { NatsLink } from './nats-link.ts';
import { NatsMessaging } from './nats-messaging.ts';
import { ensureQueue } from './nats-queue-setup.ts';
import { NatsStores } from './nats-stores.ts';
import { NatsWorkQueue, settleOn } from './nats-work-queue.ts';
import type { Bus, Settlement, WorkQueueSpec } from './port.ts';
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
  /** Gives the wait at start up. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to NATS. After that it reconnects without end; what is asked of it meanwhile fails with
 * `unreachable` at once, except `subscribe` and `take`, which wait.
 * @throws {BusError} `unreachable` after `connectTimeoutMs`, naming the address and what to do; the
 *   signal's reason when that aborts first
 */
export async function connectNats(options: NatsOptions): Promise<Bus> {
  const { connection, address } = await dialNats(options);
  const link = new NatsLink({ connection, address, clock: options.clock });
  return new NatsBus(link);
}

class NatsBus implements Bus {
  readonly messaging: NatsMessaging;
  readonly #link: NatsLink;
  readonly #stores: NatsStores;
  readonly #queues = new Map<string, NatsWorkQueue>();
  readonly #ending = new AbortController();
  #manager: Promise<JetStreamManager> | undefined;
  #ended: Promise<void> | undefined;

  constructor(link: NatsLink) {
    this.#link = link;
    this.messaging = new NatsMessaging(link);
    this.#stores = new NatsStores({ link, messaging: this.messaging });
    link.onRestored(() => void this.#restoreQueues());
  }

  get state(): Bus['state'] {
    return this.#link.state;
  }

  async openWorkQueue(spec: WorkQueueSpec): Promise<NatsWorkQueue> {
    this.#link.assertUp();
    const client = jetstream(this.#link.connection, { timeout: busLimits.confirmTimeoutMs });
    try {
      this.#manager ??= client.jetstreamManager(false);
      const manager = await this.#manager;
      await ensureQueue(manager, spec);
      const open = this.#queues.get(spec.name);
      if (open) {
        open.update(spec);
        return open;
      }
      const { signal: ending } = this.#ending;
      const queue = new NatsWorkQueue({
        link: this.#link,
        jetstream: client,
        manager,
        spec,
        ending,
      });
      this.#queues.set(spec.name, queue);
      return queue;
    } catch (error) {
      throw this.#link.failure(error, `open the work queue ${spec.name}`);
    }
  }

  async openJobStore(spec: JobStoreSpec): Promise<JobStore> {
    return await this.#stores.openJobStore(spec);
  }

  async openKeyValue(spec: KeyValueSpec): Promise<KeyValue> {
    return await this.#stores.openKeyValue(spec);
  }

  async settle(receipt: string, settlement: Settlement): Promise<void> {
    await settleOn(this.#link, receipt, settlement);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  /** Takers end, then handlers finish (they may still publish), then what was published is flushed. */
  async #end(): Promise<void> {
    const { clock, connection } = this.#link;
    using deadline = deadlineAfter(clock, busLimits.drainTimeoutMs);
    this.#ending.abort();
    const pullsEnded = Promise.all([...this.#queues.values()].map((queue) => queue.idle()));
    await this.messaging.drain(deadline.signal);
    await pullsEnded;
    this.#stores.close();
    if (this.#link.state === 'connected') {
      const flushed = connection.flush().catch(() => {});
      await this.#link.within(flushed, { timeoutMs: busLimits.confirmTimeoutMs });
    }
    await this.#link.close();
  }

  /** A server that came back may have lost its store; a queue that nobody made would refuse for ever. */
  async #restoreQueues(): Promise<void> {
    try {
      const manager = await this.#manager;
      if (!manager) return;
      for (const { spec } of this.#queues.values()) await ensureQueue(manager, spec);
    } catch (error) {
      if (this.#link.state === 'connected') reportServerError(error);
    }
  }
}
