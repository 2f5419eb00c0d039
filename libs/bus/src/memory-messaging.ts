import type { Clock, Random } from '@starling/clock';
import type { Headers } from '@starling/contracts';
import { busLimits } from './bus-limits.ts';
import { reportDropped, reportHandlerFailure } from './bus-report.ts';
import { closedError } from './closed-error.ts';
import { drainQueues } from './drain-queues.ts';
import { HandlerQueue } from './handler-queue.ts';
import {
  BusError,
  type BusMessage,
  type Messaging,
  type SubscribeOptions,
  type Subscription,
} from './port.ts';
import { assertPattern, subjectMatches } from './subject.ts';
import { assertSendable, copyOf, trimmedHeaders, type WireMessage } from './wire-message.ts';

interface Listener {
  readonly pattern: string;
  readonly queueGroup: string | undefined;
  readonly queue: HandlerQueue<BusMessage>;
}

type Reply = (answer: WireMessage) => void;

/** What {@link MemoryMessaging} is built from. */
export interface MemoryMessagingParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Core messaging inside one process. A message is copied for each listener, as over a socket, and its
 * handler runs in a later microtask, so that a sender never runs a handler inside its own call.
 */
export class MemoryMessaging implements Messaging {
  readonly #parts: MemoryMessagingParts;
  readonly #listeners = new Set<Listener>();
  readonly #requests = new Set<(error: BusError) => void>();
  #state: 'open' | 'draining' | 'closed' = 'open';

  constructor(parts: MemoryMessagingParts) {
    this.#parts = parts;
  }

  publish(subject: string, payload: Uint8Array, options?: { readonly headers?: Headers }): void {
    const message = { subject, payload, headers: options?.headers ?? {} };
    this.#check(message);
    this.#deliver(message, undefined);
  }

  async subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    assertPattern(subject);
    if (this.#state !== 'open') throw closedError();
    const listener: Listener = {
      pattern: subject,
      queueGroup: options.queueGroup,
      queue: new HandlerQueue({
        handle: handler,
        concurrency: options.concurrency ?? busLimits.concurrency,
        maxPending: options.maxPending ?? busLimits.maxPending,
        onDropped: (total) => reportDropped(subject, { count: 1, total, why: 'full' }),
        onError: (error) => reportHandlerFailure(subject, error),
      }),
    };
    this.#listeners.add(listener);
    return {
      subject,
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener);
        await listener.queue.idle();
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
    const message = { subject, payload, headers: options.headers ?? {} };
    this.#check(message);
    const { signal } = options;
    signal?.throwIfAborted();
    const answer = Promise.withResolvers<BusMessage>();
    const onAbort = () => answer.reject(signal?.reason);
    using _timer = this.#parts.clock.schedule(options.timeoutMs, () =>
      answer.reject(
        new BusError('timeout', `no answer on ${subject} within ${options.timeoutMs} ms`),
      ),
    );
    const reply: Reply = (message) =>
      answer.resolve({
        subject: message.subject,
        payload: copyOf(message.payload),
        headers: trimmedHeaders(message.headers),
        respond: () => {},
      });
    this.#requests.add(answer.reject);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (this.#deliver(message, reply) === 0) {
        throw new BusError('no_responders', `nobody listens on ${subject}`);
      }
      return await answer.promise;
    } finally {
      this.#requests.delete(answer.reject);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Takes no more messages and waits until what arrived was handled, or the signal aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    await drainQueues(listeners, signal);
  }

  /** Ends it: later calls and open requests fail with `closed`. */
  close(): void {
    this.#state = 'closed';
    for (const reject of this.#requests) reject(closedError());
  }

  #check(message: WireMessage): void {
    assertSendable(message, busLimits.maxPayloadBytes);
    if (this.#state === 'closed') throw closedError();
  }

  /** Hands the message to every listener, and to one at random of each queue group. Returns to how many. */
  #deliver(message: WireMessage, reply: Reply | undefined): number {
    const { subject } = message;
    const groups = new Map<string, Listener[]>();
    const chosen: Listener[] = [];
    for (const listener of this.#listeners) {
      if (!subjectMatches(subject, listener.pattern)) continue;
      if (listener.queueGroup === undefined) {
        chosen.push(listener);
      } else {
        const group = groups.get(listener.queueGroup) ?? [];
        group.push(listener);
        groups.set(listener.queueGroup, group);
      }
    }
    for (const group of groups.values()) {
      const one = group[this.#parts.random.integer(group.length)];
      if (one) chosen.push(one);
    }
    for (const listener of chosen) {
      listener.queue.push({
        subject,
        payload: copyOf(message.payload),
        headers: trimmedHeaders(message.headers),
        respond: (bytes, options) => {
          const answer = {
            subject: '_INBOX.memory',
            payload: bytes,
            headers: options?.headers ?? {},
          };
          assertSendable(answer, busLimits.maxPayloadBytes);
          reply?.(answer);
        },
      });
    }
    return chosen.length;
  }
}
