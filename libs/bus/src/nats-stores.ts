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
  readonly #jobStores = new Map<string, NatsJobStore>();
  readonly #buckets = new Map<string, NatsKeyValue>();
  #manager: Promise<JetStreamManager> | undefined;

  constructor(parts: { readonly link: NatsLink; readonly messaging: NatsMessaging }) {
    this.#link = parts.link;
    this.#messaging = parts.messaging;
    parts.link.onRestored(() => void this.#restore());
  }

  async openJobStore(spec: JobStoreSpec): Promise<NatsJobStore> {
    const link = this.#link;
    link.assertUp();
    try {
      const manager = await this.#managing();
      await ensureStream(manager, jobStoreStream(spec));
      const open = this.#jobStores.get(spec.name);
      open?.reshape(spec);
      const messaging = this.#messaging;
      const store = open ?? new NatsJobStore({ link, manager, messaging, spec });
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
      await ensureStream(manager, keyValueStream(spec));
      const open = this.#buckets.get(spec.name);
      open?.reshape(spec);
      if (open) return open;
      const opened = new NatsKeyValue({ link, messaging: this.#messaging, spec });
      this.#buckets.set(spec.name, opened);
      return opened;
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

  /** A server that came back may have lost its store; one that nobody made would refuse for ever. */
  async #restore(): Promise<void> {
    try {
      const manager = await this.#managing();
      for (const { spec } of this.#jobStores.values()) {
        await ensureStream(manager, jobStoreStream(spec));
      }
      for (const { spec } of this.#buckets.values()) {
        await ensureStream(manager, keyValueStream(spec));
      }
    } catch (error) {
      if (this.#link.state === 'connected') reportServerError(error);
    }
  }
}
