/**
 * Values by key inside one process, with the behaviour of a JetStream bucket of history 1: revisions
 * count the writes of the whole bucket, a value goes when it was not written for the TTL, and the
 * ones written longest ago go first when the bucket is full.
 */
import type { Clock } from '@starling/clock';
import { closedError } from './closed-error.ts';
import { assertKey } from './key-name.ts';
import { BusError } from './port.ts';
import type { KeyValue, KeyValueEntry, KeyValueSpec, WriteResult } from './store-port.ts';
import { copyOf } from './wire-message.ts';

interface Kept {
  readonly entry: KeyValueEntry;
  readonly writtenAt: number;
}

/** See the module's header. */
export class MemoryKeyValue implements KeyValue {
  readonly #clock: Clock;
  #spec: KeyValueSpec;
  /** In the order of writing. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #revision = 0;
  #closed = false;

  constructor(parts: { readonly clock: Clock; readonly spec: KeyValueSpec }) {
    this.#clock = parts.clock;
    this.#spec = parts.spec;
  }

  /** Takes on a changed spec, as opening an existing bucket anew does. */
  reshape(spec: KeyValueSpec): void {
    this.#spec = spec;
  }

  async create(key: string, bytes: Uint8Array): Promise<WriteResult> {
    return this.#write(key, bytes, undefined);
  }

  async update(
    key: string,
    bytes: Uint8Array,
    options: { readonly revision: number },
  ): Promise<WriteResult> {
    return this.#write(key, bytes, options.revision);
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    assertKey(key);
    this.#assertOpen();
    const entry = this.#kept.get(key)?.entry;
    return entry && { ...entry, bytes: copyOf(entry.bytes) };
  }

  /** Ends it: later calls fail with `closed`. */
  close(): void {
    this.#closed = true;
  }

  #write(key: string, bytes: Uint8Array, revision: number | undefined): WriteResult {
    assertKey(key);
    this.#assertOpen();
    if (bytes.byteLength > this.#spec.maxValueBytes) {
      const { maxValueBytes, name } = this.#spec;
      throw new BusError('too_large', `${bytes.byteLength} bytes: ${name} takes ${maxValueBytes}`);
    }
    if (this.#kept.get(key)?.entry.revision !== revision) return { ok: false };
    this.#drop(key);
    this.#revision += 1;
    const entry = { key, bytes: copyOf(bytes), revision: this.#revision };
    this.#kept.set(key, { entry, writtenAt: this.#clock.monotonicMs() });
    this.#bytes += sizeOf(entry);
    this.#sweep();
    return { ok: true, revision: entry.revision };
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
    this.#sweep();
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    this.#bytes -= sizeOf(kept.entry);
  }

  #sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const [key, { writtenAt }] of this.#kept) {
      const over = this.#bytes > this.#spec.maxBytes;
      if (!over && now - writtenAt < this.#spec.ttlMs) break;
      this.#drop(key);
    }
  }
}

/** What a value takes, its key with it. */
function sizeOf({ bytes, key }: KeyValueEntry): number {
  return bytes.byteLength + key.length;
}
