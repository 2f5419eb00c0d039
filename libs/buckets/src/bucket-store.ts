import type { BucketLimit } from './bucket-limit.ts';
import {
  type Bucket,
  type BucketEvent,
  type BucketReply,
  bucketStep,
  bucketsOf,
} from './bucket-step.ts';
import type { Reservation, Reserve } from './buckets.ts';
import { levelOf } from './sum-bucket.ts';

/** Buckets kept at most; the one touched longest ago is forgotten beyond it, which only lets calls in. */
const maxBuckets = 50_000;

/** The pure rule with the buckets it has made, in the order of their use. */
export class BucketStore {
  readonly #buckets = new Map<string, Bucket>();
  readonly #nowMs: () => number;

  /** @param nowMs whole milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  run(event: BucketEvent): BucketReply {
    const touched = bucketsOf(event);
    const before = touched.map(({ key }) => this.#buckets.get(key));
    const nowMs = this.#nowMs();
    const { buckets: after, reply } = bucketStep(before, event, nowMs);
    for (const [at, { key }] of touched.entries()) {
      const bucket = after[at];
      // Last in the order of use.
      this.#buckets.delete(key);
      if (bucket && !isIdle(bucket, nowMs)) this.#buckets.set(key, bucket);
    }
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size <= maxBuckets) break;
      this.#buckets.delete(key);
    }
    return reply;
  }

  reserve(call: Reserve): Reservation {
    const reply = this.run({ kind: 'reserve', ...call });
    if (reply.kind === 'reserved' || reply.kind === 'refused') return reply;
    throw new TypeError('a reserve was answered as something else');
  }

  /** What is held and used now; 0 of a rate. */
  level(of: { readonly key: string; readonly limit: BucketLimit }): number {
    this.run({ kind: 'sweep', buckets: [of] });
    const bucket = this.#buckets.get(of.key);
    return bucket?.kind === 'sum' ? levelOf(bucket) : 0;
  }
}

/** Says nothing that a bucket which is not there would not say. */
function isIdle(bucket: Bucket, nowMs: number): boolean {
  if (bucket.holds.size > 0 || bucket.blockedUntilMs > nowMs) return false;
  if (bucket.kind === 'rate') return bucket.tatUs <= nowMs * 1_000;
  return bucket.uses.size === 0 && bucket.cap === undefined;
}
