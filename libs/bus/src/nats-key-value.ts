/**
 * A bucket as a JetStream key-value store of history 1 (NATS ADR-8): a write expects the subject's
 * last sequence, so that of several writers on one revision exactly one wins.
 */
import { busLimits } from './bus-limits.ts';
import { assertKey } from './key-name.ts';
import { wrongLastSequence } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsMessaging } from './nats-messaging.ts';
import { type ReadFrom, readMessage, storeMessage } from './nats-store-calls.ts';
import { bucketStream } from './nats-store-setup.ts';
import { BusError } from './port.ts';
import type {
  CallOptions,
  KeyValue,
  KeyValueEntry,
  KeyValueSpec,
  WriteResult,
} from './store-port.ts';

/** What a {@link NatsKeyValue} is built from. */
export interface NatsKeyValueParts {
  readonly link: NatsLink;
  readonly messaging: NatsMessaging;
  readonly spec: KeyValueSpec;
}

/** See the module's header. */
export class NatsKeyValue implements KeyValue {
  readonly #parts: NatsKeyValueParts;
  #spec: KeyValueSpec;
  #reads: ReadFrom = 'any';

  constructor(parts: NatsKeyValueParts) {
    this.#parts = parts;
    this.#spec = parts.spec;
  }

  get spec(): KeyValueSpec {
    return this.#spec;
  }

  /** Takes on a changed spec, as opening an existing bucket anew does, and how the server keeps it. */
  reshape(spec: KeyValueSpec, { replicated }: { readonly replicated: boolean }): void {
    this.#spec = spec;
    this.#reads = replicated ? 'leader' : 'any';
  }

  async create(key: string, bytes: Uint8Array, options?: CallOptions): Promise<WriteResult> {
    return await this.#write(key, bytes, { ...options, revision: 0 });
  }

  async update(
    key: string,
    bytes: Uint8Array,
    options: CallOptions & { readonly revision: number },
  ): Promise<WriteResult> {
    return await this.#write(key, bytes, options);
  }

  async get(key: string, options?: CallOptions): Promise<KeyValueEntry | undefined> {
    const { link, messaging } = this.#parts;
    const timeoutMs = options?.timeoutMs ?? busLimits.confirmTimeoutMs;
    assertKey(key);
    const stream = bucketStream(this.#spec.name);
    const which = { stream, last: this.#subjectOf(key), from: this.#reads };
    try {
      const found = await readMessage(messaging, which, timeoutMs);
      // A value that a person deleted with a tool leaves a marker: there is none.
      if (!found || found.headers['KV-Operation'] !== undefined) return undefined;
      return { key, bytes: found.payload, revision: found.sequence };
    } catch (error) {
      throw link.failure(error, `get ${key} of ${this.#spec.name}`);
    }
  }

  /** @param options.revision 0 when the key must have no value */
  async #write(
    key: string,
    bytes: Uint8Array,
    options: CallOptions & { readonly revision: number },
  ): Promise<WriteResult> {
    const { link, messaging } = this.#parts;
    const { maxValueBytes, name } = this.#spec;
    assertKey(key);
    if (bytes.byteLength > maxValueBytes) {
      throw new BusError('too_large', `${bytes.byteLength} bytes: ${name} takes ${maxValueBytes}`);
    }
    const headers = { 'Nats-Expected-Last-Subject-Sequence': String(options.revision) };
    const message = { subject: this.#subjectOf(key), payload: bytes, headers };
    const timeoutMs = options.timeoutMs ?? busLimits.confirmTimeoutMs;
    try {
      const { sequence: revision } = await storeMessage(messaging, message, timeoutMs);
      return { ok: true, revision };
    } catch (error) {
      if (wrongLastSequence(error) !== undefined) return { ok: false };
      throw link.failure(error, `write ${key} of ${name}`);
    }
  }

  #subjectOf(key: string): string {
    return `$KV.${this.#spec.name}.${key}`;
  }
}
