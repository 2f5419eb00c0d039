import type { Clock } from '@starling/clock';
import { BucketStore } from './bucket-store.ts';
import type { Buckets } from './buckets.ts';

/** Buckets within one process: the embedded mode, where no other one takes part. */
export function createMemoryBuckets(options: { readonly clock: Clock }): Buckets {
  const { clock } = options;
  const store = new BucketStore(() => clock.nowMs());
  return {
    async reserve(call) {
      return store.reserve(call);
    },
    async settle(id, used) {
      store.run({ kind: 'settle', id, used });
    },
    async extend(id, held) {
      const reply = store.run({ kind: 'extend', id, ...held });
      return reply.kind === 'extended' && reply.whole;
    },
    async levels(of) {
      return of.map((bucket) => store.level(bucket));
    },
    async lower(told) {
      store.run({ kind: 'lower', told });
    },
  };
}
