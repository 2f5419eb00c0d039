/**
 * A job store inside one process, with the behaviour of the JetStream stream that the NATS adapter
 * uses: one message a subject, an id is known for the window, full is refused. It does not survive
 * the process.
 */
import type { Clock } from '@starling/clock';
import type { Headers } from '@starling/contracts';
import { busLimits } from './bus-limits.ts';
import { reportHandlerFailure } from './bus-report.ts';
import { closedError } from './closed-error.ts';
import { BusError } from './port.ts';
import type { FeedHandler, JobStore, JobStoreSpec, StoredMessage } from './store-port.ts';
import { assertPattern, subjectMatches } from './subject.ts';
import { assertSendable, copyOf, trimmedHeaders } from './wire-message.ts';

interface Kept {
  readonly message: StoredMessage;
  readonly payload: Uint8Array;
  readonly storedAt: number;
}

interface RememberedId {
  readonly sequence: number;
  readonly storedAt: number;
}

/** See the module's header. */
export class MemoryJobStore implements JobStore {
  readonly #clock: Clock;
  #spec: JobStoreSpec;
  readonly #kept = new Map<number, Kept>();
  readonly #bySubject = new Map<string, number>();
  readonly #ids = new Map<string, RememberedId>();
  readonly #feeds = new Set<FeedHandler>();
  #lastSequence = 0;
  #closed = false;

  constructor(parts: { readonly clock: Clock; readonly spec: JobStoreSpec }) {
    this.#clock = parts.clock;
    this.#spec = parts.spec;
  }

  /** Takes on a changed spec, as opening an existing store anew does. */
  reshape(spec: JobStoreSpec): void {
    this.#spec = spec;
  }

  async put(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers },
  ): Promise<{ readonly duplicate: boolean; readonly sequence: number }> {
    const headers = options.headers ?? {};
    assertSendable({ subject, payload, headers }, busLimits.maxPayloadBytes);
    if (!this.#spec.subjects.some((pattern) => subjectMatches(subject, pattern))) {
      throw new TypeError(`"${subject}" is no subject of the store ${this.#spec.name}`);
    }
    this.#assertOpen();
    const known = this.#ids.get(options.id)?.sequence ?? this.#bySubject.get(subject);
    if (known !== undefined) return { duplicate: true, sequence: known };
    if (this.#kept.size >= this.#spec.maxMessages) {
      throw new BusError('full', `${this.#spec.name} holds ${this.#spec.maxMessages} messages`);
    }
    this.#lastSequence += 1;
    const sequence = this.#lastSequence;
    const storedAt = this.#clock.monotonicMs();
    const storedAtMs = this.#clock.nowMs();
    const message = { sequence, subject, headers: trimmedHeaders(headers), storedAtMs };
    this.#kept.set(sequence, { message, payload: copyOf(payload), storedAt });
    this.#bySubject.set(subject, sequence);
    this.#ids.set(options.id, { sequence, storedAt });
    this.#tell((feed) => feed.stored(message));
    return { duplicate: false, sequence };
  }

  async feed(handler: FeedHandler): Promise<AsyncDisposable> {
    this.#assertOpen();
    // A feed of its own even when one handler is given twice.
    const feed = {
      stored: (message: StoredMessage) => handler.stored(message),
      gone: (message: Pick<StoredMessage, 'sequence' | 'subject'>) => handler.gone?.(message),
      synced: () => handler.synced?.(),
    };
    this.#feeds.add(feed);
    this.#later(feed, () => handler.reading?.());
    for (const { message } of this.#kept.values()) this.#later(feed, () => feed.stored(message));
    this.#later(feed, () => feed.synced());
    return {
      [Symbol.asyncDispose]: async () => {
        this.#feeds.delete(feed);
      },
    };
  }

  async read(
    sequence: number,
  ): Promise<(StoredMessage & { readonly payload: Uint8Array }) | undefined> {
    this.#assertOpen();
    const kept = this.#kept.get(sequence);
    return kept && { ...kept.message, payload: copyOf(kept.payload) };
  }

  async remove(sequence: number): Promise<void> {
    this.#assertOpen();
    this.#drop(sequence);
  }

  discard(sequence: number): void {
    if (!this.#closed) this.#drop(sequence);
  }

  async list(pattern = '>'): Promise<readonly StoredMessage[]> {
    assertPattern(pattern);
    this.#assertOpen();
    const all = [...this.#kept.values()].map(({ message }) => message);
    return all.filter(({ subject }) => subjectMatches(subject, pattern));
  }

  async size(): Promise<number> {
    this.#assertOpen();
    return this.#kept.size;
  }

  /** Ends it: later calls fail with `closed`, feeds hear nothing more. */
  close(): void {
    this.#closed = true;
    this.#feeds.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
    this.#sweep();
  }

  #drop(sequence: number): void {
    const kept = this.#kept.get(sequence);
    if (!kept) return;
    const { subject } = kept.message;
    this.#kept.delete(sequence);
    this.#bySubject.delete(subject);
    this.#tell((feed) => feed.gone?.({ sequence, subject }));
  }

  #tell(what: (feed: FeedHandler) => void): void {
    for (const feed of this.#feeds) this.#later(feed, () => what(feed));
  }

  /** Never inside the caller's call: as over a network, a teller has gone on when it is heard. */
  #later(feed: FeedHandler, what: () => void): void {
    queueMicrotask(() => {
      if (!this.#feeds.has(feed)) return;
      try {
        what();
      } catch (error) {
        reportHandlerFailure(this.#spec.name, error);
      }
    });
  }

  /** Drops what is over age, and ids out of the window. Both maps are in order of time. */
  #sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const [sequence, { storedAt }] of this.#kept) {
      if (now - storedAt < this.#spec.maxAgeMs) break;
      this.#drop(sequence);
    }
    for (const [id, { storedAt }] of this.#ids) {
      const over = this.#ids.size > busLimits.maxRememberedIds;
      if (!over && now - storedAt < this.#spec.dedupeWindowMs) break;
      this.#ids.delete(id);
    }
  }
}
