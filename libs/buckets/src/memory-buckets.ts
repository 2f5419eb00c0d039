import type { Clock } from '@starling/clock';
import {
  type Bucket,
  type BucketEvent,
  type BucketReply,
  bucketStep,
  bucketsOf,
} from './bucket-step.ts';
import type { Buckets } from './buckets.ts';

/** Buckets kept at most; the one touched longest ago is forgotten beyond it, which only lets calls in. */
const maxBuckets = 50_000;

/** Buckets within one process: the embedded mode, and what is left while Redis is away. */
export function createMemoryBuckets(options: { readonly clock: Clock }): Buckets {
  const { clock } = options;
  const buckets = new Map<string, Bucket>();

  const run = (event: BucketEvent): BucketReply => {
    const touched = bucketsOf(event);
    const before = touched.map(({ key }) => buckets.get(key));
    const nowMs = clock.nowMs();
    const { buckets: after, reply } = bucketStep(before, event, nowMs);
    for (const [at, { key }] of touched.entries()) {
      const bucket = after[at];
      // Last in the order of use.
      buckets.delete(key);
      if (bucket && !isIdle(bucket, nowMs)) buckets.set(key, bucket);
    }
    for (const key of buckets.keys()) {
      if (buckets.size <= maxBuckets) break;
      buckets.delete(key);
    }
    return reply;
  };

  return {
    async reserve(call) {
      const reply = run({ kind: 'reserve', ...call });
      if (reply.kind === 'reserved' || reply.kind === 'refused') return reply;
      throw new TypeError('a reserve was answered as something else');
    },
    async settle(id, used) {
      run({ kind: 'settle', id, used });
    },
    async extend(id, held) {
      const reply = run({ kind: 'extend', id, ...held });
      return reply.kind === 'extended' && reply.whole;
    },
    async lower(told) {
      run({ kind: 'lower', told });
    },
  };
}

/** Says nothing that a bucket which is not there would not say. */
function isIdle(bucket: Bucket, nowMs: number): boolean {
  if (bucket.holds.size > 0 || bucket.blockedUntilMs > nowMs) return false;
  if (bucket.kind === 'rate') return bucket.tatUs <= nowMs * 1_000;
  return bucket.uses.size === 0 && bucket.cap === undefined;
}
