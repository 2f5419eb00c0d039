export { type BucketsUnderTest, bucketsSuite } from './testing/buckets-suite.ts';
