import {
  type Bucket,
  type BucketEvent,
  type BucketReply,
  bucketStep,
  bucketsOf,
} from '../src/bucket-step.ts';
import type { BucketLimit } from '../src/index.ts';

/** The pure rule with the buckets that it has made. */
export class Model {
  readonly #buckets = new Map<string, Bucket>();

  run(event: BucketEvent, nowMs: number): BucketReply {
    const keys = bucketsOf(event).map(({ key }) => key);
    const before = keys.map((key) => this.#buckets.get(key));
    const { buckets, reply } = bucketStep(before, event, nowMs);
    for (const [at, key] of keys.entries()) {
      const bucket = buckets[at];
      if (bucket) this.#buckets.set(key, bucket);
    }
    return reply;
  }

  /** A model in the same state, to try what would be. */
  copy(): Model {
    const copy = new Model();
    for (const [key, bucket] of this.#buckets) copy.#buckets.set(key, bucket);
    return copy;
  }

  bucket(at: { readonly key: string; readonly limit: BucketLimit }, nowMs: number): Bucket {
    const sweep = { kind: 'sweep', buckets: [at] } as const;
    const [bucket] = bucketStep([this.#buckets.get(at.key)], sweep, nowMs).buckets;
    if (!bucket) throw new Error('a sweep lost its bucket');
    return bucket;
  }

  standing(at: { readonly key: string; readonly limit: BucketLimit }, nowMs: number) {
    const bucket = this.bucket(at, nowMs);
    const isRate = bucket.kind === 'rate';
    const uses = isRate ? [] : [...bucket.uses];
    const held = isRate
      ? [...bucket.holds].map(([id, hold]) => ({ id, ...hold }))
      : [...bucket.holds].map(([id, hold]) => ({ id, ...hold, endUs: 0 }));
    const level = isRate
      ? 0
      : sum([...held.map(({ amount }) => amount), ...uses.map(([, n]) => n)]);
    return {
      holds: held
        .map(({ amount, endUs, id, untilMs }) => `${id}: ${amount} ${untilMs} ${endUs}`)
        .sort(),
      uses: uses.map(([endsAtMs, amount]) => `${endsAtMs}: ${amount}`).sort(),
      tatUs: Math.max(isRate ? bucket.tatUs : 0, nowMs * 1_000),
      level,
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
