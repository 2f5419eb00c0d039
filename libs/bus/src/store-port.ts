/**
 * Durable state on the bus: the set of jobs that are not delivered yet, and values by key with
 * revisions. Both adapters, NATS and in-memory, pass the one contract suite of
 * `@starling/bus/testing`.
 */
import type { Headers } from '@starling/contracts';

/** Shape of a job store: created when absent, updated when it differs. */
export interface JobStoreSpec {
  /** Name of the stream, for example `JOBS`. */
  readonly name: string;
  readonly subjects: readonly string[];
  /** Messages stored at most; one more is refused with `full`. */
  readonly maxMessages: number;
  /** What is older is gone without a word: longer than any job may take. */
  readonly maxAgeMs: number;
  /** An id that was stored is known for this long, even after its message was removed. */
  readonly dedupeWindowMs: number;
}

/** A stored message without its payload. */
export interface StoredMessage {
  /** Its place in the store: grows with each message, and is its name for `read` and `remove`. */
  readonly sequence: number;
  readonly subject: string;
  readonly headers: Headers;
  /** When the store took it in, milliseconds since the Unix epoch by the store's clock. */
  readonly storedAtMs: number;
}

/** What a {@link JobStore.feed} tells. Handlers return at once; one that throws is logged and counted. */
export interface FeedHandler {
  /** The store is read from its beginning: what is told until `synced` may have been there for long. */
  reading?(): void;
  /** A message is in the store. Told once for each, unless it was `gone` in between. */
  stored(message: StoredMessage): void;
  /** A message is no longer in the store. A hint that comes late or, at worst, with the next comparison. */
  gone?(message: Pick<StoredMessage, 'sequence' | 'subject'>): void;
  /**
   * What was told equals the store: when all that was there at the start has been told, and again
   * after each time that the feed was read anew (a lost connection, a gap, a difference in number).
   */
  synced?(): void;
}

/** The set of messages that are stored and not yet removed. What `put` resolved for survives any process. */
export interface JobStore {
  /**
   * Stores a message under a subject that holds none. `duplicate`: the subject holds one already, or
   * the id was stored within the window; the message is then not stored again, and `sequence` is that
   * of the first one.
   * @throws {BusError} `full` at `maxMessages`, `too_large`, `timeout`, `unreachable`, `closed`
   */
  put(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers; readonly timeoutMs?: number },
  ): Promise<{ readonly duplicate: boolean; readonly sequence: number }>;
  /**
   * Tells of every stored message, in order, now and from now on, until it is disposed. It outlives
   * the server: whatever was missed is told when the connection is back.
   */
  feed(handler: FeedHandler): Promise<AsyncDisposable>;
  /** A message with its payload; undefined when it is not stored (any more). */
  read(sequence: number): Promise<(StoredMessage & { readonly payload: Uint8Array }) | undefined>;
  /** Removes a message, and tells every feed. Removing what is not there is harmless. */
  remove(sequence: number): Promise<void>;
  /**
   * Asks for a removal, tells every feed of it, and waits for no word: where somebody finds and removes
   * what is left. Never throws; while the connection is away nothing is done.
   */
  discard(sequence: number): void;
  /** What is stored now under a pattern of subjects, in order; all of it by default. */
  list(pattern?: string): Promise<readonly StoredMessage[]>;
  /** Messages that are stored now. */
  size(): Promise<number>;
}

/** Shape of a bucket of values: created when absent, updated when it differs. */
export interface KeyValueSpec {
  /** Letters, digits, `-` and `_`. */
  readonly name: string;
  /** A value that was not written for this long is gone. */
  readonly ttlMs: number;
  /** All values together; beyond it the ones written longest ago are gone early. */
  readonly maxBytes: number;
  /** One value; a larger one is refused with `too_large`. */
  readonly maxValueBytes: number;
}

/** A value and the revision that it was written as. */
export interface KeyValueEntry {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Grows with every write to the bucket, whatever the key. */
  readonly revision: number;
}

/** How a conditional write came out. `ok: false`: somebody else's write stands; nothing was changed. */
export type WriteResult = { readonly ok: true; readonly revision: number } | { readonly ok: false };

/**
 * Values by key, written by compare-and-set alone: of several writers on one revision exactly one
 * wins. A write that failed with `timeout` or `unreachable` may have been made; read to know.
 * Keys are tokens between dots, as in a subject.
 */
export interface KeyValue {
  /** Writes a key that has no value. */
  create(key: string, bytes: Uint8Array, options?: CallOptions): Promise<WriteResult>;
  /** Replaces the value that was written as `revision`. */
  update(
    key: string,
    bytes: Uint8Array,
    options: CallOptions & { readonly revision: number },
  ): Promise<WriteResult>;
  /**
   * What stands under a key.
   * @throws {BusError} `timeout` when the server has not answered in time
   */
  get(key: string, options?: CallOptions): Promise<KeyValueEntry | undefined>;
}

export interface CallOptions {
  /** How long the server may take to answer; default 5 s. */
  readonly timeoutMs?: number;
}
