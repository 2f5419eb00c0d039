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

/** Shape of a durable work queue: created when absent, updated when it differs. */
export interface WorkQueueSpec {
  /** Name of the stream, for example `JOBS`. */
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxMessages: number;
  readonly maxAgeMs: number;
  /** An id that was accepted is not accepted again for this long. */
  readonly dedupeWindowMs: number;
  /** A delivery without progress or acknowledgement for this long is delivered again. */
  readonly ackWaitMs: number;
}

/** One delivery of a queued message. It is settled through {@link WorkQueue.settle}, by whoever holds the receipt. */
export interface QueuedMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  /** 1 for the first delivery. A hint: servers have been seen to forget it (facts §5). */
  readonly deliveryCount: number;
  /** Settles this delivery from any process. */
  readonly receipt: string;
}

/**
 * What to do with a delivery. `ack`: it is done, remove it. `progress`: still at work, start the ack
 * wait anew. `retry`: deliver it again after `delayMs`.
 */
export type Settlement =
  | { readonly kind: 'ack' }
  | { readonly kind: 'progress' }
  | { readonly kind: 'retry'; readonly delayMs: number };

/** Durable messaging: what `enqueue` resolved for survives the death of any process. */
export interface WorkQueue {
  /**
   * Resolves when the message is stored. `duplicate` is true when the id was accepted before; the
   * message is then not stored again.
   * @throws {BusError} `full` at `maxMessages`, `timeout`, `closed`
   */
  enqueue(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers; readonly timeoutMs?: number },
  ): Promise<{ readonly duplicate: boolean }>;
  /**
   * Takes up to `max` messages, waiting up to `waitMs` for the first. All takers share one queue:
   * a message goes to one of them. Empty when none came or the signal fired.
   */
  take(options: {
    readonly max: number;
    readonly waitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly QueuedMessage[]>;
  /** Resolves when the server has the settlement. Settling twice is harmless. */
  settle(receipt: string, settlement: Settlement): Promise<void>;
  /** Messages that are stored now, delivered or not. */
  size(): Promise<number>;
}

/** A connected bus. Disposing it drains: what was published is flushed, handlers finish, then it closes. */
export interface Bus extends AsyncDisposable {
  readonly messaging: Messaging;
  /** Opens (and where absent creates) a work queue. */
  openWorkQueue(spec: WorkQueueSpec): Promise<WorkQueue>;
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
  /** Settles an open queue's delivery by receipt alone; for a process that takes nothing itself. */
  settle(receipt: string, settlement: Settlement): Promise<void>;
  /** `connected`, or since when (monotonic) it is not. */
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
  | 'incompatible';

/** Any failure of the bus, by a closed set of codes. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
