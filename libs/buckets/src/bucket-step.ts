/**
 * The shared limits as one pure function: the memory adapter runs it, and `buckets.lua` is held to it
 * on a real Redis, step by step. It sees the buckets of one call, in their order, and nothing else.
 */
import type { BucketLimit } from './bucket-limit.ts';
import type { Asked, Extension, Reservation, Reserve, Told, Used } from './buckets.ts';
import {
  emptyRate,
  type RateBucket,
  rateOpensAtMs,
  settledRate,
  sweptRate,
  withRate,
} from './rate-bucket.ts';
import {
  emptySum,
  levelOf,
  type SumBucket,
  settledSum,
  sumOpensAtMs,
  sweptSum,
  withSum,
} from './sum-bucket.ts';

export type Bucket = SumBucket | RateBucket;

export type BucketEvent =
  | ({ readonly kind: 'reserve' } & Reserve)
  | { readonly kind: 'settle'; readonly id: string; readonly used: readonly Used[] }
  | ({ readonly kind: 'extend'; readonly id: string } & Extension)
  | { readonly kind: 'lower'; readonly told: Told }
  /** Nothing but the passing of time: what has ended goes. */
  | { readonly kind: 'sweep'; readonly buckets: Extension['buckets'] };

export type BucketReply =
  | Reservation
  | { readonly kind: 'settled' }
  | { readonly kind: 'extended'; readonly whole: boolean }
  | { readonly kind: 'lowered' }
  | { readonly kind: 'swept' };

export interface BucketStep<Reply extends BucketReply = BucketReply> {
  readonly reply: Reply;
  /** The buckets after it, in the same order. */
  readonly buckets: readonly Bucket[];
}

/** The buckets that an event is about, in order. */
export function bucketsOf(event: BucketEvent): Extension['buckets'] {
  switch (event.kind) {
    case 'reserve':
      return event.asked;
    case 'settle':
      return event.used;
    case 'extend':
    case 'sweep':
      return event.buckets;
    case 'lower':
      return [event.told];
  }
}

/** @param before the buckets of the event in its order; undefined for one that is not there */
export function bucketStep(
  before: readonly (Bucket | undefined)[],
  event: BucketEvent,
  nowMs: number,
): BucketStep {
  const buckets = bucketsOf(event).map(({ limit }, at) => swept(before[at], limit, nowMs));
  switch (event.kind) {
    case 'reserve':
      return reserve(buckets, event, nowMs);
    case 'settle': {
      const after = zip(buckets, event.used, (bucket, { limit, amount }) =>
        settled(bucket, { id: event.id, limit, amount }, nowMs),
      );
      return { reply: { kind: 'settled' }, buckets: after };
    }
    case 'extend': {
      const whole = buckets.every(({ holds }) => holds.has(event.id));
      const untilMs = nowMs + event.holdMs;
      const after = buckets.map((bucket) => extended(bucket, event.id, untilMs));
      return { reply: { kind: 'extended', whole }, buckets: after };
    }
    case 'lower': {
      const after = buckets.map((bucket) => lowered(bucket, event.told, nowMs));
      return { reply: { kind: 'lowered' }, buckets: after };
    }
    case 'sweep':
      return { reply: { kind: 'swept' }, buckets };
  }
}

function reserve(buckets: readonly Bucket[], call: Reserve, nowMs: number): BucketStep {
  const { asked, holdMs, id } = call;
  if (buckets.some(({ holds }) => holds.has(id))) {
    return { reply: { kind: 'reserved', replay: true }, buckets };
  }
  const opensAtMs = zip(buckets, asked, (bucket, ask) => opens(bucket, ask, nowMs));
  const first = opensAtMs.findIndex((atMs) => atMs > nowMs);
  const refusing = asked[first];
  if (refusing) {
    const afterMs = Math.max(...opensAtMs) - nowMs;
    const retryAfterMs = Number.isFinite(afterMs) ? afterMs : undefined;
    return { reply: { kind: 'refused', key: refusing.key, retryAfterMs }, buckets };
  }
  const after = zip(buckets, asked, (bucket, { amount, limit, spent = false }) =>
    taken(bucket, { id, limit, amount, holdMs: spent ? 0 : holdMs }, nowMs),
  );
  return { reply: { kind: 'reserved', replay: false }, buckets: after };
}

function swept(bucket: Bucket | undefined, limit: BucketLimit, nowMs: number): Bucket {
  if (limit.kind === 'rate') {
    return sweptRate(bucket?.kind === 'rate' ? bucket : emptyRate, nowMs);
  }
  return sweptSum(bucket?.kind === 'sum' ? bucket : emptySum, limit, nowMs);
}

function opens(bucket: Bucket, { amount, limit }: Asked, nowMs: number): number {
  if (limit.kind === 'rate') return rateOpensAtMs(asRate(bucket), { limit, amount }, nowMs);
  return sumOpensAtMs(asSum(bucket), { limit, amount }, nowMs);
}

interface Taken {
  readonly id: string;
  readonly limit: BucketLimit;
  readonly amount: number;
  readonly holdMs: number;
}

function taken(bucket: Bucket, { limit, ...rest }: Taken, nowMs: number): Bucket {
  if (limit.kind === 'rate') return withRate(asRate(bucket), { ...rest, limit }, nowMs);
  return withSum(asSum(bucket), { ...rest, limit }, nowMs);
}

function settled(bucket: Bucket, { limit, ...rest }: Omit<Taken, 'holdMs'>, nowMs: number): Bucket {
  if (limit.kind === 'rate') return settledRate(asRate(bucket), { ...rest, limit }, nowMs);
  return settledSum(asSum(bucket), { ...rest, limit }, nowMs);
}

function extended(bucket: Bucket, id: string, untilMs: number): Bucket {
  if (bucket.kind === 'rate') {
    const hold = bucket.holds.get(id);
    if (!hold) return bucket;
    return { ...bucket, holds: new Map(bucket.holds).set(id, { ...hold, untilMs }) };
  }
  const hold = bucket.holds.get(id);
  if (!hold) return bucket;
  return { ...bucket, holds: new Map(bucket.holds).set(id, { ...hold, untilMs }) };
}

/** What is left, by the provider's word, comes on top of what we know to be held and used. */
function lowered(bucket: Bucket, told: Told, nowMs: number): Bucket {
  const { blockedMs = 0, forMs, permits, remaining } = told;
  const blockedUntilMs = Math.max(bucket.blockedUntilMs, nowMs + blockedMs);
  if (bucket.kind === 'rate' || (permits === undefined && remaining === undefined)) {
    return { ...bucket, blockedUntilMs };
  }
  const left = remaining === undefined ? Number.POSITIVE_INFINITY : levelOf(bucket) + remaining;
  const cap = {
    permits: Math.min(permits ?? Number.POSITIVE_INFINITY, left),
    untilMs: nowMs + forMs,
  };
  return { ...bucket, blockedUntilMs, cap: forMs > 0 ? cap : bucket.cap };
}

/** The kind of a bucket follows its limit's: `swept` sees to it. */
function asRate(bucket: Bucket): RateBucket {
  return bucket.kind === 'rate' ? bucket : emptyRate;
}

function asSum(bucket: Bucket): SumBucket {
  return bucket.kind === 'sum' ? bucket : emptySum;
}

function zip<A, B, C>(
  ones: readonly A[],
  others: readonly B[],
  join: (one: A, other: B) => C,
): readonly C[] {
  return ones.flatMap((one, at) => {
    const other = others[at];
    return other === undefined ? [] : [join(one, other)];
  });
}
