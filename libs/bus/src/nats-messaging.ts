import type { Headers } from '@starling/contracts';
import {
  type Msg,
  type MsgHdrs,
  type Subscription as NatsSubscription,
  headers as natsHeaders,
} from 'nats';
import { busLimits } from './bus-limits.ts';
import { reportDropped, reportHandlerFailure, reportServerError } from './bus-report.ts';
import { closedError } from './closed-error.ts';
import { drainQueues } from './drain-queues.ts';
import { HandlerQueue } from './handler-queue.ts';
import type { NatsLink } from './nats-link.ts';
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
  #droppedWhileAway = 0;
  #draining = false;

  constructor(link: NatsLink) {
    this.#link = link;
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
    const { timeoutMs, signal } = options;
    const message = { subject, payload, headers: options.headers ?? {} };
    assertSendable(message, this.#maxPayloadBytes());
    this.#link.assertUp();
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answer = this.#link.connection
        .request(subject, payload.slice(), {
          timeout: timeoutMs,
          headers: toNatsHeaders(message.headers),
        })
        .catch((error: unknown) => {
          throw this.#link.failure(error, `request to ${subject}`);
        });
      return this.#received(await Promise.race([answer, aborted.promise]));
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
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
          else queue.push(this.#received(message));
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
    assertSendable(message, this.#maxPayloadBytes());
    if (this.#link.state === 'reconnecting') {
      // The client would keep it for a moment and then forget it; so it is dropped where it can be seen.
      this.#droppedWhileAway += 1;
      const total = this.#droppedWhileAway;
      reportDropped(message.subject, { count: 1, total, why: 'disconnected' });
      return;
    }
    try {
      this.#link.connection.publish(message.subject, message.payload.slice(), {
        headers: toNatsHeaders(message.headers),
      });
    } catch (error) {
      throw this.#link.failure(error, `publish to ${message.subject}`);
    }
  }

  #received(message: Msg): BusMessage {
    const { subject, data, reply } = message;
    return {
      subject,
      payload: data,
      headers: fromNatsHeaders(message.headers),
      respond: (payload, options) => {
        const answer = { payload, headers: options?.headers ?? {} };
        assertSendable({ subject: '_INBOX.reply', ...answer }, this.#maxPayloadBytes());
        if (reply && this.#link.state !== 'closed') this.#send({ subject: reply, ...answer });
      },
    };
  }

  #maxPayloadBytes(): number {
    return this.#link.connection.info?.max_payload ?? busLimits.maxPayloadBytes;
  }
}

/** Our headers as the client's. */
export function toNatsHeaders(from: Headers): MsgHdrs {
  const to = natsHeaders();
  for (const [name, value] of Object.entries(from)) to.set(name, value);
  return to;
}

/** The client's headers as ours, without the server's own (`Nats-…`). */
export function fromNatsHeaders(from: MsgHdrs | undefined): Headers {
  const to: Record<string, string> = {};
  for (const name of from?.keys() ?? []) {
    if (!name.startsWith('Nats-')) to[name] = from?.get(name) ?? '';
  }
  return to;
}
