import { SimulatedClock } from '@starling/clock';
import { createMemoryBuckets } from '../src/index.ts';
import { bucketsSuite } from '../src/testing.ts';

bucketsSuite('memory', async () => {
  const clock = new SimulatedClock();
  return {
    buckets: createMemoryBuckets({ clock }),
    pass: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {},
  };
});
