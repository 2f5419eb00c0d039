/**
 * A work queue inside one process, with the behaviour of a JetStream work-queue stream and one shared
 * pull consumer: an id is accepted once within the window, a delivery without progress comes back, and
 * what comes back goes before what is new. It does not survive the process.
 */
import type { Clock } from '@starling/clock';
import type { Headers } from '@starling/contracts';
import { busLimits } from './bus-limits.ts';
import { closedError } from './closed-error.ts';
import {
  BusError,
  type QueuedMessage,
  type Settlement,
  type WorkQueue,
  type WorkQueueSpec,
} from './port.ts';
import { subjectMatches } from './subject.ts';
import { assertSendable, trimmedHeaders } from './wire-message.ts';

interface Stored {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  readonly storedAtMs: number;
  deliveryCount: number;
  /** `ready`: in one of the two lines. `delivered`: somebody has it, or it waits out a retry's delay. */
  state: 'ready' | 'delivered';
  timer: Disposable | undefined;
}

/** Receipts name their queue, so that the bus can settle by receipt alone. */
const memoryReceiptPrefix = '$MEMORY.';

/**
 * The queue and the message of a receipt.
 * @throws {TypeError} when it is none
 */
export function parseMemoryReceipt(receipt: string): {
  readonly queue: string;
  readonly sequence: number;
} {
  const parts = /^\$MEMORY\.([^.]+)\.(\d+)$/.exec(receipt);
  if (!parts) throw new TypeError(`"${receipt}" is no receipt of a work queue`);
  return { queue: parts[1] ?? '', sequence: Number(parts[2]) };
}

/** See the module's header. */
export class MemoryWorkQueue implements WorkQueue {
  readonly #clock: Clock;
  #spec: WorkQueueSpec;
  readonly #stored = new Map<number, Stored>();
  /** Sequences of what is new, and of what came back; those gone meanwhile are skipped at the take. */
  #fresh: number[] = [];
  #returned: number[] = [];
  readonly #acceptedAtMs = new Map<string, number>();
  readonly #takers = new Set<() => void>();
  #lastSequence = 0;
  #closed = false;

  constructor(parts: { readonly clock: Clock; readonly spec: WorkQueueSpec }) {
    this.#clock = parts.clock;
    this.#spec = parts.spec;
  }

  /** Takes on a changed spec, as opening an existing queue anew does. */
  update(spec: WorkQueueSpec): void {
    this.#spec = spec;
  }

  async enqueue(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers },
  ): Promise<{ readonly duplicate: boolean }> {
    const headers = options.headers ?? {};
    assertSendable({ subject, payload, headers }, busLimits.maxPayloadBytes);
    if (!this.#spec.subjects.some((pattern) => subjectMatches(subject, pattern))) {
      throw new TypeError(`"${subject}" is no subject of the queue ${this.#spec.name}`);
    }
    if (this.#closed) throw closedError();
    this.#sweep();
    if (this.#acceptedAtMs.has(options.id)) return { duplicate: true };
    if (this.#stored.size >= this.#spec.maxMessages) {
      throw new BusError('full', `${this.#spec.name} holds ${this.#spec.maxMessages} messages`);
    }
    this.#lastSequence += 1;
    this.#stored.set(this.#lastSequence, {
      sequence: this.#lastSequence,
      subject,
      payload: payload.slice(),
      headers: trimmedHeaders(headers),
      storedAtMs: this.#clock.monotonicMs(),
      deliveryCount: 0,
      state: 'ready',
      timer: undefined,
    });
    this.#acceptedAtMs.set(options.id, this.#clock.monotonicMs());
    this.#fresh.push(this.#lastSequence);
    this.#wake();
    return { duplicate: false };
  }

  async take(options: {
    readonly max: number;
    readonly waitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly QueuedMessage[]> {
    if (this.#closed) throw closedError();
    if (options.signal?.aborted) return [];
    const ready = this.#takeReady(options.max);
    if (ready.length > 0 || options.waitMs <= 0) return ready;
    const result = Promise.withResolvers<readonly QueuedMessage[]>();
    const taker = () => {
      if (this.#closed) return result.reject(closedError());
      const messages = this.#takeReady(options.max);
      if (messages.length === 0) return;
      this.#takers.delete(taker);
      result.resolve(messages);
    };
    const giveUp = () => {
      this.#takers.delete(taker);
      result.resolve([]);
    };
    using _timer = this.#clock.schedule(options.waitMs, giveUp);
    options.signal?.addEventListener('abort', giveUp, { once: true });
    this.#takers.add(taker);
    try {
      return await result.promise;
    } finally {
      options.signal?.removeEventListener('abort', giveUp);
    }
  }

  async settle(receipt: string, settlement: Settlement): Promise<void> {
    if (this.#closed) throw closedError();
    const stored = this.#stored.get(parseMemoryReceipt(receipt).sequence);
    if (!stored) return;
    if (settlement.kind === 'ack') {
      stored.timer?.[Symbol.dispose]();
      this.#stored.delete(stored.sequence);
    } else if (stored.state === 'delivered') {
      const { kind } = settlement;
      this.#returnAfter(stored, kind === 'retry' ? settlement.delayMs : this.#spec.ackWaitMs);
    }
  }

  async size(): Promise<number> {
    if (this.#closed) throw closedError();
    this.#sweep();
    return this.#stored.size;
  }

  /** Ends it: waiting takers and later calls fail with `closed`; no timer stays armed. */
  close(): void {
    this.#closed = true;
    for (const stored of this.#stored.values()) stored.timer?.[Symbol.dispose]();
    this.#wake();
  }

  #takeReady(max: number): readonly QueuedMessage[] {
    this.#sweep();
    const taken: QueuedMessage[] = [];
    while (taken.length < Math.min(max, busLimits.maxTake)) {
      const stored = this.#nextReady();
      if (!stored) break;
      stored.state = 'delivered';
      stored.deliveryCount += 1;
      this.#returnAfter(stored, this.#spec.ackWaitMs);
      taken.push({
        subject: stored.subject,
        payload: stored.payload.slice(),
        headers: { ...stored.headers },
        deliveryCount: stored.deliveryCount,
        receipt: `${memoryReceiptPrefix}${this.#spec.name}.${stored.sequence}`,
      });
    }
    return taken;
  }

  #nextReady(): Stored | undefined {
    for (const line of [this.#returned, this.#fresh]) {
      for (let next = line.shift(); next !== undefined; next = line.shift()) {
        const stored = this.#stored.get(next);
        if (stored) return stored;
      }
    }
    return undefined;
  }

  #returnAfter(stored: Stored, delayMs: number): void {
    stored.timer?.[Symbol.dispose]();
    stored.timer = undefined;
    const back = () => {
      stored.state = 'ready';
      this.#returned.push(stored.sequence);
      this.#wake();
    };
    if (delayMs > 0) stored.timer = this.#clock.schedule(delayMs, back);
    else back();
  }

  /** Gives what is ready to the takers that have waited longest. */
  #wake(): void {
    for (const taker of [...this.#takers]) taker();
  }

  /** Drops what is over age, and ids out of the window. Both maps are in order of time. */
  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const stored of this.#stored.values()) {
      if (nowMs - stored.storedAtMs < this.#spec.maxAgeMs) break;
      stored.timer?.[Symbol.dispose]();
      this.#stored.delete(stored.sequence);
    }
    for (const [id, acceptedAtMs] of this.#acceptedAtMs) {
      const over = this.#acceptedAtMs.size > busLimits.maxRememberedIds;
      if (!over && nowMs - acceptedAtMs < this.#spec.dedupeWindowMs) break;
      this.#acceptedAtMs.delete(id);
    }
  }
}
