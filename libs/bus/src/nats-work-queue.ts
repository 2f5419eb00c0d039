/**
 * A work queue as a JetStream stream of work-queue retention (docs.nats.io, JetStream, streams) with
 * one durable pull consumer that all takers share. What `enqueue` resolved for survives the death of
 * the server's process; an acknowledgement may not (measured: after kill -9 some come back), so a
 * consumer of this port is idempotent by the message's id.
 */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { Headers } from '@starling/contracts';
import { type Msg, nanos } from 'nats';
import { busLimits } from './bus-limits.ts';
import { closedError } from './closed-error.ts';
import type { NatsLink } from './nats-link.ts';
import { fromNatsHeaders, toNatsHeaders } from './nats-messaging.ts';
import { NatsPuller } from './nats-pull.ts';
import { takersConsumer } from './nats-queue-setup.ts';
import type { QueuedMessage, Settlement, WorkQueue, WorkQueueSpec } from './port.ts';
import { subjectMatches } from './subject.ts';
import { assertSendable } from './wire-message.ts';

/** After a pull was lost for a reason other than the connection: not to ask in a tight loop. */
const lostPullPauseMs = 250;

/** What {@link NatsWorkQueue} is built from. */
export interface NatsWorkQueueParts {
  readonly link: NatsLink;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly spec: WorkQueueSpec;
  /** Fires when the bus drains: waiting takers end. */
  readonly ending: AbortSignal;
}

/** See the module's header. */
export class NatsWorkQueue implements WorkQueue {
  readonly #parts: NatsWorkQueueParts;
  readonly #puller: NatsPuller;
  #spec: WorkQueueSpec;

  constructor(parts: NatsWorkQueueParts) {
    this.#parts = parts;
    this.#spec = parts.spec;
    const { link, spec } = parts;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${spec.name}.${takersConsumer}`;
    this.#puller = new NatsPuller({ link, subject });
  }

  get spec(): WorkQueueSpec {
    return this.#spec;
  }

  /** Takes on a changed spec, as opening an existing queue anew does. */
  update(spec: WorkQueueSpec): void {
    this.#spec = spec;
  }

  async enqueue(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers; readonly timeoutMs?: number },
  ): Promise<{ readonly duplicate: boolean }> {
    const { link, jetstream } = this.#parts;
    const spec = this.#spec;
    const headers = {
      ...options.headers,
      'Nats-Msg-Id': options.id,
      'Nats-Expected-Stream': spec.name,
    };
    assertSendable(
      { subject, payload, headers },
      link.connection.info?.max_payload ?? busLimits.maxPayloadBytes,
    );
    if (!spec.subjects.some((pattern) => subjectMatches(subject, pattern))) {
      throw new TypeError(`"${subject}" is no subject of the queue ${spec.name}`);
    }
    link.assertUp();
    try {
      const stored = await jetstream.publish(subject, payload.slice(), {
        headers: toNatsHeaders(headers),
        timeout: options.timeoutMs ?? busLimits.confirmTimeoutMs,
      });
      return { duplicate: stored.duplicate };
    } catch (error) {
      throw link.failure(error, `enqueue to ${subject}`);
    }
  }

  async take(options: {
    readonly max: number;
    readonly waitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly QueuedMessage[]> {
    const { link, ending } = this.#parts;
    const endsAtMs = link.clock.monotonicMs() + options.waitMs;
    const signal = options.signal ? AbortSignal.any([options.signal, ending]) : ending;
    for (;;) {
      if (link.state === 'closed' || ending.aborted) throw closedError();
      if (signal.aborted) return [];
      const leftMs = Math.max(0, Math.ceil(endsAtMs - link.clock.monotonicMs()));
      const first = await this.#puller.next({ waitMs: leftMs, signal });
      if (first.kind === 'message') {
        const more = await this.#takeNow(Math.min(options.max, busLimits.maxTake) - 1, signal);
        const taken = [first.message, ...more];
        if (!signal.aborted) return taken.map(queuedMessage);
        for (const message of taken) this.#puller.putBack(message);
      } else if (leftMs === 0) {
        return [];
      } else if (first.kind === 'lost') {
        await link.nextChange(Math.min(leftMs, lostPullPauseMs), signal);
      }
    }
  }

  async settle(receipt: string, settlement: Settlement): Promise<void> {
    await settleOn(this.#parts.link, receipt, settlement);
  }

  async size(): Promise<number> {
    const { link, manager } = this.#parts;
    const spec = this.#spec;
    link.assertUp();
    try {
      return (await manager.streams.info(spec.name)).state.messages;
    } catch (error) {
      throw link.failure(error, `size of ${spec.name}`);
    }
  }

  /** Resolves when nothing is on its way from the server to this queue's takers. */
  async idle(): Promise<void> {
    await this.#puller.idle();
  }

  /** What is there now, up to `max`. */
  async #takeNow(max: number, signal: AbortSignal): Promise<readonly Msg[]> {
    if (signal.aborted) return [];
    const pulls = Array.from({ length: max }, () => this.#puller.next({ waitMs: 0, signal }));
    const results = await Promise.all(pulls);
    return results.flatMap((result) => (result.kind === 'message' ? [result.message] : []));
  }
}

/** The queue's view of a delivery; its receipt is the subject on which the server takes settlements. */
function queuedMessage(message: Msg): QueuedMessage {
  const receipt = message.reply ?? '';
  return {
    subject: message.subject,
    payload: message.data,
    headers: fromNatsHeaders(message.headers),
    deliveryCount: Number(receipt.split('.')[deliveryCountToken(receipt)] ?? 1),
    receipt,
  };
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>…`, and with two more tokens in front since NATS 2.10 (ADR-15). */
function deliveryCountToken(receipt: string): number {
  return receipt.split('.').length > 9 ? 6 : 4;
}

/** Sends a settlement as a request, so that it resolves when the server has it (NATS ADR-15). */
export async function settleOn(
  link: NatsLink,
  receipt: string,
  settlement: Settlement,
): Promise<void> {
  if (!/^\$JS\.ACK(\.[^\s.*>]+){7,10}$/.test(receipt)) {
    throw new TypeError(`"${receipt}" is no receipt of a work queue`);
  }
  link.assertUp();
  try {
    await link.connection.request(receipt, settlementText(settlement), {
      timeout: busLimits.confirmTimeoutMs,
    });
  } catch (error) {
    throw link.failure(error, `settle as ${settlement.kind}`);
  }
}

function settlementText(settlement: Settlement): string {
  switch (settlement.kind) {
    case 'ack':
      return '+ACK';
    case 'progress':
      return '+WPI';
    case 'retry':
      // With a delay, even of 0, the server puts it behind what is new.
      if (settlement.delayMs <= 0) return '-NAK';
      return `-NAK ${JSON.stringify({ delay: nanos(settlement.delayMs) })}`;
  }
}
