/**
 * One reading of a stream's headers in order, from its beginning to the first sign that something was missed:
 * an ephemeral push consumer without acknowledgements (NATS ADR-17, ordered consumer). It never
 * repairs itself; its owner starts another one.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { createInbox, type Subscription as NatsSubscription, nanos } from 'nats';
import type { NatsLink } from './nats-link.ts';
import { NatsMessage, type Respond } from './nats-message.ts';

/** The server says that it lives when it has nothing else to say. */
const heartbeatMs = 1_000;
/** No word for so many heartbeats: the consumer is gone, or the way to it. */
const maxMissedHeartbeats = 3;
/** A consumer whose reader has died is removed by the server after this. */
const inactiveMs = 5_000;

/** The status of a heartbeat, and of flow control. */
const idle = 100;

/** A message as read, without its payload. */
export interface OrderedMessage {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly message: NatsMessage;
}

/** Nothing here is a request. */
const noAnswer: Respond = () => {};

/** What an {@link OrderedRun} is built from. */
export interface OrderedRunParts {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly filterSubject?: string;
  onMessage(message: OrderedMessage): void;
  /** All that was stored when it began has been read; called once. */
  onCaughtUp(): void;
}

/** Why a reading ended: `ended` by its owner, else what was missed. */
export type RunEnd = 'ended' | 'gap' | 'silence' | 'refused';

/** See the module's header. */
export class OrderedRun {
  readonly #parts: OrderedRunParts;
  readonly #over = Promise.withResolvers<RunEnd>();
  readonly #inbox = createInbox();
  readonly #subscription: NatsSubscription;
  #consumer: string | undefined;
  #end: RunEnd | undefined;
  /** Messages that this consumer has delivered, as it counts them. */
  #delivered = 0;
  #caughtUp = false;
  #heardAt: number;
  #watchdog: Disposable;
  #failure: unknown;

  constructor(parts: OrderedRunParts) {
    const { clock, connection } = parts.link;
    this.#parts = parts;
    this.#heardAt = clock.monotonicMs();
    this.#subscription = connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.#finish('refused', error);
        else this.#receive(new NatsMessage(message, noAnswer));
      },
    });
    this.#watchdog = clock.schedule(heartbeatMs, () => this.#watch());
    void this.#create();
  }

  /** Resolves when it is over. */
  get over(): Promise<RunEnd> {
    return this.#over.promise;
  }

  /** Whether it is over, and why. */
  get end(): RunEnd | undefined {
    return this.#end;
  }

  /** What the server said, when the reading was refused. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Ends it; nothing is delivered after this. */
  stop(): void {
    this.#finish('ended');
  }

  async #create(): Promise<void> {
    const { filterSubject, manager, stream } = this.#parts;
    const config: Partial<ConsumerConfig> = {
      deliver_subject: this.#inbox,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      headers_only: true,
      idle_heartbeat: nanos(heartbeatMs),
      flow_control: true,
      inactive_threshold: nanos(inactiveMs),
      ...(filterSubject !== undefined && { filter_subject: filterSubject }),
    };
    try {
      const { name, num_pending } = await manager.consumers.add(stream, config);
      this.#consumer = name;
      if (this.#end !== undefined) this.#remove();
      // With nothing delivered yet and nothing to deliver, there is nothing to wait for.
      else if (num_pending === 0 && this.#delivered === 0) this.#catchUp();
    } catch (error) {
      this.#finish('refused', error);
    }
  }

  #receive(message: NatsMessage): void {
    if (this.#end !== undefined) return;
    this.#heardAt = this.#parts.link.clock.monotonicMs();
    const { status } = message;
    if (status === undefined) this.#deliver(message);
    else if (status === idle) this.#status(message);
    else this.#finish('refused', new Error(`the consumer says ${status}`));
  }

  #deliver(message: NatsMessage): void {
    const place = placeOf(message.reply);
    if (place?.consumerSequence !== this.#delivered + 1) {
      this.#finish('gap');
      return;
    }
    this.#delivered += 1;
    this.#parts.onMessage({ message, sequence: place.sequence, storedAtMs: place.storedAtMs });
    if (place.pending === 0) this.#catchUp();
  }

  /** Flow control is answered, a heartbeat compared (NATS ADR-15). */
  #status(message: NatsMessage): void {
    const { connection } = this.#parts.link;
    if (message.reply) {
      connection.publish(message.reply);
      return;
    }
    const stalled = message.serverHeader('Nats-Consumer-Stalled');
    if (stalled) connection.publish(stalled);
    const last = message.serverHeader('Nats-Last-Consumer');
    if (last && Number(last) !== this.#delivered) this.#finish('gap');
    // It is idle, so it has delivered all it has: what was pending may have been removed since.
    else if (last) this.#catchUp();
  }

  #catchUp(): void {
    if (this.#caughtUp || this.#end !== undefined) return;
    this.#caughtUp = true;
    this.#parts.onCaughtUp();
  }

  #watch(): void {
    const { clock } = this.#parts.link;
    if (clock.monotonicMs() - this.#heardAt > heartbeatMs * maxMissedHeartbeats) {
      this.#finish('silence');
    } else {
      this.#watchdog = clock.schedule(heartbeatMs, () => this.#watch());
    }
  }

  #finish(end: RunEnd, failure?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#failure = failure;
    this.#watchdog[Symbol.dispose]();
    if (!this.#subscription.isClosed()) this.#subscription.unsubscribe();
    this.#remove();
    this.#over.resolve(end);
  }

  /** The server would remove it by itself a little later. */
  #remove(): void {
    const { link, manager, stream } = this.#parts;
    if (this.#consumer === undefined || link.state !== 'connected') return;
    manager.consumers.delete(stream, this.#consumer).catch(() => {});
    this.#consumer = undefined;
  }
}

interface Place {
  readonly sequence: number;
  readonly consumerSequence: number;
  readonly storedAtMs: number;
  readonly pending: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`, and with two
 * more tokens in front since NATS 2.10 (NATS ADR-15).
 */
function placeOf(reply: string): Place | undefined {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens.length < 9) return undefined;
  const at = tokens.length > 9 ? 7 : 5;
  const [sequence = 0, consumerSequence = 0, storedAtNs = 0, pending = 0] = tokens
    .slice(at, at + 4)
    .map(Number);
  return { sequence, consumerSequence, storedAtMs: Math.floor(storedAtNs / 1e6), pending };
}
