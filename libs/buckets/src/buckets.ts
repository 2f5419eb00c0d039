import type { BucketLimit } from './bucket-limit.ts';

/** One bucket and what is wanted of it. */
export interface Asked {
  /** Names the bucket. It has one limit at a time; another one applies from the next call on. */
  readonly key: string;
  readonly limit: BucketLimit;
  /** Permits; a whole number. */
  readonly amount: number;
  /** Spent at once: nothing of it is settled later, or given back. */
  readonly spent?: boolean;
  /** Only one process ever asks for it: while Redis is away that one has the whole limit. */
  readonly ownedHere?: boolean;
}

/** A call that wants permits of several buckets, of all or of none. */
export interface Reserve {
  /** Names the hold. Asking again under a name that holds something changes nothing. */
  readonly id: string;
  /** How long the hold lives without {@link Buckets.extend}, should its process die; milliseconds. */
  readonly holdMs: number;
  /** Each key once. */
  readonly asked: readonly Asked[];
}

/** The word on one call. A refused one has changed nothing. */
export type Reservation =
  | {
      readonly kind: 'reserved';
      /** It was held already: nothing was charged again. */
      readonly replay: boolean;
    }
  | {
      readonly kind: 'refused';
      /** The first bucket, in the order asked, that has no room. */
      readonly key: string;
      /**
       * Milliseconds until all of it would be let through, to the millisecond, if nothing else happens;
       * undefined when it never is: one amount is larger than its limit.
       */
      readonly retryAfterMs: number | undefined;
    };

/** What a hold of one bucket came to. */
export interface Used {
  readonly key: string;
  readonly limit: BucketLimit;
  /** What was really used, permits: more than was reserved is a debt. */
  readonly amount: number;
}

/** What a provider says of its own limit, in the headers of an answer. */
export interface Told {
  readonly key: string;
  readonly limit: BucketLimit;
  /** Its whole limit now, permits. */
  readonly permits?: number | undefined;
  /** What is left of it, permits. */
  readonly remaining?: number | undefined;
  /** How long `permits` and `remaining` stand, milliseconds. */
  readonly forMs: number;
  /** Nothing is to be asked before, milliseconds. */
  readonly blockedMs?: number | undefined;
}

/**
 * Limits that several processes share (features D1): reserved before the work, settled to what was
 * really used. A hold that nobody settles ends by itself. A bucket that nobody uses is forgotten.
 *
 * Adapters: Redis and memory; one contract suite holds both (`@starling/buckets/testing`).
 */
export interface Buckets {
  reserve(call: Reserve): Promise<Reservation>;
  /** The work is over. Harmless when it was settled before; a hold that had ended counts as it was. */
  settle(id: string, used: readonly Used[]): Promise<void>;
  /** The work goes on: the hold lives `holdMs` from now. False when some of it had ended. */
  extend(id: string, held: Extension): Promise<boolean>;
  /** What is held and used of each now, in their order; 0 of a rate. */
  levels(of: Extension['buckets']): Promise<readonly number[]>;
  /** Lowers a bucket by its provider's word, for a while. */
  lower(told: Told): Promise<void>;
}

export interface Extension {
  readonly holdMs: number;
  readonly buckets: readonly { readonly key: string; readonly limit: BucketLimit }[];
}
