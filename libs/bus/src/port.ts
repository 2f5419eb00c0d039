/**
 * What the fleet's roles need of a message bus. Two adapters keep it, NATS and in-memory; both pass
 * the one contract suite of `@starling/bus/testing`.
 */
import type { Headers } from '@starling/contracts';
import type { JobStore, JobStoreSpec, KeyValue, KeyValueSpec } from './store-port.ts';

/** A message of core messaging. */
export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  /** Answers a request; does nothing for a message that asked for no reply. */
  respond(payload: Uint8Array, options?: { readonly headers?: Headers }): void;
}

export interface Subscription extends AsyncDisposable {
  readonly subject: string;
}

/** At-most-once messaging: what is sent while nobody listens is gone. */
export interface Messaging {
  publish(subject: string, payload: Uint8Array, options?: { readonly headers?: Headers }): void;
  /**
   * Calls `handler` for each message, in the order of arrival, never two at once when it returns a
   * promise unless `concurrency` says so. A handler that throws is logged and counted; the
   * subscription lives on. Resolves when the server knows of the subscription.
   */
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Promise<Subscription>;
  /**
   * Sends and waits for one reply.
   * @throws {BusError} `no_responders` at once when nobody listens, `timeout`, `closed`
   */
  request(
    subject: string,
    payload: Uint8Array,
    options: {
      readonly timeoutMs: number;
      readonly headers?: Headers;
      readonly signal?: AbortSignal;
    },
  ): Promise<BusMessage>;
}

export interface SubscribeOptions {
  /** Messages are shared between the subscribers of one queue group. */
  readonly queueGroup?: string;
  /** How many handlers may run at once; default 1 (order kept). */
  readonly concurrency?: number;
  /** Messages waiting for a handler; the oldest is dropped and counted beyond it. Default 10 000. */
  readonly maxPending?: number;
}

/** A connected bus. Disposing it drains: what was published is flushed, handlers finish, then it closes. */
export interface Bus extends AsyncDisposable {
  readonly messaging: Messaging;
  /**
   * Opens (and where absent creates) a job store.
   * @throws {BusError} `incompatible` when the name is taken by something of another kind
   */
  openJobStore(spec: JobStoreSpec): Promise<JobStore>;
  /**
   * Opens (and where absent creates) a bucket of values.
   * @throws {BusError} `incompatible` when the name is taken by something of another kind
   */
  openKeyValue(spec: KeyValueSpec): Promise<KeyValue>;
  /** `reconnecting` while the server is away, and without end; `closed` for good once it was disposed. */
  readonly state: 'connected' | 'reconnecting' | 'closed';
}

export type BusErrorCode =
  | 'no_responders'
  | 'timeout'
  | 'closed'
  | 'full'
  | 'unreachable'
  | 'too_large'
  /** What is there under this name is of another kind; a person has to remove it. */
  | 'incompatible'
  /** The server cannot keep as many copies as its settings ask for. */
  | 'too_few_servers';

/** Any failure of the bus, by a closed set of codes. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
