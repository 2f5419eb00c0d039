import type { Headers } from '@starling/contracts';
import type { Subscription as NatsSubscription } from 'nats';
import { busLimits } from './bus-limits.ts';
import { reportDropped, reportHandlerFailure, reportServerError } from './bus-report.ts';
import { closedError } from './closed-error.ts';
import { drainQueues } from './drain-queues.ts';
import { HandlerQueue } from './handler-queue.ts';
import { messageFrame } from './nats-frame.ts';
import type { NatsLink } from './nats-link.ts';
import { NatsMessage, type Respond } from './nats-message.ts';
import { NatsRequests } from './nats-requests.ts';
import {
  BusError,
  type BusMessage,
  type Messaging,
  type SubscribeOptions,
  type Subscription,
} from './port.ts';
import { assertPattern } from './subject.ts';
import { assertSendable, type WireMessage } from './wire-message.ts';

interface Listener {
  readonly pattern: string;
  readonly queue: HandlerQueue<BusMessage>;
  readonly subscription: NatsSubscription;
}

/** Core NATS (docs.nats.io/nats-concepts/core-nats): at most once. */
export class NatsMessaging implements Messaging {
  readonly #link: NatsLink;
  readonly #listeners = new Set<Listener>();
  readonly #requests: NatsRequests;
  #droppedWhileAway = 0;
  #draining = false;

  constructor(link: NatsLink) {
    this.#link = link;
    this.#requests = new NatsRequests(link, this.#respond);
  }

  publish(subject: string, payload: Uint8Array, options?: { readonly headers?: Headers }): void {
    this.#send({ subject, payload, headers: options?.headers ?? {} });
  }

  async subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    assertPattern(subject);
    if (this.#draining) throw closedError();
    const queue = new HandlerQueue<BusMessage>({
      handle: handler,
      concurrency: options.concurrency ?? busLimits.concurrency,
      maxPending: options.maxPending ?? busLimits.maxPending,
      onDropped: (total) => reportDropped(subject, { count: 1, total, why: 'full' }),
      onError: (error) => reportHandlerFailure(subject, error),
    });
    const subscription = this.#listen(subject, options, queue);
    const listener = { pattern: subject, queue, subscription };
    this.#listeners.add(listener);
    try {
      await this.#confirmed(subject);
    } catch (error) {
      this.#listeners.delete(listener);
      subscription.unsubscribe();
      throw error;
    }
    return {
      subject,
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener);
        await this.#unsubscribe(subscription);
        await queue.idle();
      },
    };
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: {
      readonly timeoutMs: number;
      readonly headers?: Headers;
      readonly signal?: AbortSignal;
    },
  ): Promise<BusMessage> {
    return await this.ask({ subject, payload, headers: options.headers ?? {} }, options);
  }

  /** A request whose answer is wanted with the server's own headers. */
  async ask(
    message: WireMessage,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<NatsMessage> {
    const { timeoutMs, signal } = options;
    const headers = assertSendable(message, this.#maxPayloadBytes());
    this.#link.assertUp();
    signal?.throwIfAborted();
    return await this.#requests.ask(message, { headers, timeoutMs, signal });
  }

  /** Takes no more messages and waits until what arrived was handled, or the signal aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    await Promise.all(listeners.map(({ subscription }) => this.#unsubscribe(subscription)));
    await drainQueues(listeners, signal);
  }

  #listen(
    subject: string,
    options: SubscribeOptions,
    queue: HandlerQueue<BusMessage>,
  ): NatsSubscription {
    try {
      return this.#link.connection.subscribe(subject, {
        ...(options.queueGroup !== undefined && { queue: options.queueGroup }),
        callback: (error, message) => {
          if (error) reportServerError(error);
          else queue.push(new NatsMessage(message, this.#respond));
        },
      });
    } catch (error) {
      throw this.#link.failure(error, `subscribe to ${subject}`);
    }
  }

  /** Waits until the server knows of what was sent before; while it is away, until it is back. */
  async #confirmed(subject: string): Promise<void> {
    const { clock, connection } = this.#link;
    const giveUpAtMs = clock.monotonicMs() + busLimits.confirmTimeoutMs;
    for (;;) {
      const leftMs = giveUpAtMs - clock.monotonicMs();
      if (leftMs <= 0) throw new BusError('timeout', `subscribe to ${subject}: not confirmed`);
      if (this.#link.state === 'closed') throw closedError();
      if (this.#link.state === 'reconnecting') {
        await this.#link.nextChange(leftMs);
        continue;
      }
      const flushed = connection.flush().then(
        () => true,
        () => false,
      );
      if (await this.#link.within(flushed, { timeoutMs: leftMs })) return;
    }
  }

  /** Drains one subscription: what the server had sent before it heard of the end still arrives. */
  async #unsubscribe(subscription: NatsSubscription): Promise<void> {
    if (subscription.isClosed()) return;
    if (this.#link.state !== 'connected') {
      subscription.unsubscribe();
      return;
    }
    await this.#link.within(subscription.drain(), { timeoutMs: busLimits.confirmTimeoutMs });
  }

  #send(message: WireMessage): void {
    const headers = assertSendable(message, this.#maxPayloadBytes());
    if (this.#link.state === 'closed') throw closedError();
    if (this.#link.state === 'reconnecting') {
      // The client would keep it for a moment and then forget it; so it is dropped where it can be seen.
      this.#droppedWhileAway += 1;
      const total = this.#droppedWhileAway;
      reportDropped(message.subject, { count: 1, total, why: 'disconnected' });
      return;
    }
    this.#link.send(messageFrame(message, headers));
  }

  /** After the end an answer goes nowhere: whoever asked has been told. */
  readonly #respond: Respond = (inbox, payload, headers) => {
    const message = { subject: inbox || '_INBOX.none', payload, headers };
    if (inbox === '' || this.#link.state === 'closed') {
      assertSendable(message, this.#maxPayloadBytes());
    } else this.#send(message);
  };

  #maxPayloadBytes(): number {
    return this.#link.connection.info?.max_payload ?? busLimits.maxPayloadBytes;
  }
}
