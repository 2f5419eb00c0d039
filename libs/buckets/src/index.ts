export type { BucketLimit } from './bucket-limit.ts';
export type {
  Asked,
  Buckets,
  Extension,
  Reservation,
  Reserve,
  Told,
  Used,
} from './buckets.ts';
export { createMemoryBuckets } from './memory-buckets.ts';
export { createRedisBuckets, type Sight } from './redis-buckets.ts';
export {
  createSharedBuckets,
  type SharedBuckets,
  type SharedBucketsParts,
} from './shared-buckets.ts';
export { createSlicedBuckets, type SlicedBuckets } from './sliced-buckets.ts';
