/** The stores of one connection: opened once each, made anew when a server came back without them. */
import { type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { busLimits } from './bus-limits.ts';
import { reportServerError } from './bus-report.ts';
import { NatsJobStore } from './nats-job-store.ts';
import { NatsKeyValue } from './nats-key-value.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsMessaging } from './nats-messaging.ts';
import { ensureStream, jobStoreStream, keyValueStream } from './nats-store-setup.ts';
import type { JobStoreSpec, KeyValueSpec } from './store-port.ts';

/** See the module's header. */
export class NatsStores {
  readonly #link: NatsLink;
  readonly #messaging: NatsMessaging;
  readonly #replicas: number;
  readonly #jobStores = new Map<string, NatsJobStore>();
  readonly #buckets = new Map<string, NatsKeyValue>();
  #manager: Promise<JetStreamManager> | undefined;

  constructor(parts: {
    readonly link: NatsLink;
    readonly messaging: NatsMessaging;
    readonly replicas: number;
  }) {
    this.#link = parts.link;
    this.#messaging = parts.messaging;
    this.#replicas = parts.replicas;
    parts.link.onRestored(() => void this.#restore());
  }

  async openJobStore(spec: JobStoreSpec): Promise<NatsJobStore> {
    const link = this.#link;
    link.assertUp();
    try {
      const manager = await this.#managing();
      const shape = await this.#ensured(manager, jobStoreStream(spec));
      const open = this.#jobStores.get(spec.name);
      const messaging = this.#messaging;
      const store = open ?? new NatsJobStore({ link, manager, messaging, spec });
      store.reshape(spec, shape);
      this.#jobStores.set(spec.name, store);
      return store;
    } catch (error) {
      throw link.failure(error, `open the job store ${spec.name}`);
    }
  }

  async openKeyValue(spec: KeyValueSpec): Promise<NatsKeyValue> {
    const link = this.#link;
    link.assertUp();
    try {
      const manager = await this.#managing();
      const shape = await this.#ensured(manager, keyValueStream(spec));
      const open = this.#buckets.get(spec.name);
      const bucket = open ?? new NatsKeyValue({ link, messaging: this.#messaging, spec });
      bucket.reshape(spec, shape);
      this.#buckets.set(spec.name, bucket);
      return bucket;
    } catch (error) {
      throw link.failure(error, `open the bucket ${spec.name}`);
    }
  }

  /** Ends feeds. */
  close(): void {
    for (const store of this.#jobStores.values()) store.close();
  }

  #managing(): Promise<JetStreamManager> {
    const client = jetstream(this.#link.connection, { timeout: busLimits.confirmTimeoutMs });
    this.#manager ??= client.jetstreamManager(false);
    return this.#manager;
  }

  async #ensured(
    manager: JetStreamManager,
    wanted: Parameters<typeof ensureStream>[1],
  ): Promise<{ readonly replicated: boolean }> {
    const { replicas } = await ensureStream(manager, wanted, this.#replicas);
    return { replicated: replicas > 1 };
  }

  /** A server that came back may have lost its store; one that nobody made would refuse for ever. */
  async #restore(): Promise<void> {
    try {
      const manager = await this.#managing();
      for (const store of this.#jobStores.values()) {
        store.reshape(store.spec, await this.#ensured(manager, jobStoreStream(store.spec)));
      }
      for (const bucket of this.#buckets.values()) {
        bucket.reshape(bucket.spec, await this.#ensured(manager, keyValueStream(bucket.spec)));
      }
    } catch (error) {
      if (this.#link.state === 'connected') reportServerError(error);
    }
  }
}
