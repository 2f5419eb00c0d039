import { type Clock, deadlineAfter, type Random, systemRandom } from '@starling/clock';
import { busLimits } from './bus-limits.ts';
import { closedError } from './closed-error.ts';
import { MemoryJobStore } from './memory-job-store.ts';
import { MemoryKeyValue } from './memory-key-value.ts';
import { MemoryMessaging } from './memory-messaging.ts';
import type { Bus } from './port.ts';
import type { JobStoreSpec, KeyValueSpec } from './store-port.ts';

/**
 * A bus inside one process: one shared instance connects all roles of the embedded mode, and stands
 * for NATS in tests. It keeps the same contract suite; what it does not keep is anything beyond its
 * process. Unlike NATS, a core `publish` to a store's subject is not stored there.
 *
 * @param options.random chooses the member of a queue group; the machine's own by default
 */
export function createMemoryBus(options: { readonly clock: Clock; readonly random?: Random }): Bus {
  const { clock, random = systemRandom } = options;
  const messaging = new MemoryMessaging({ clock, random });
  const stores = new Map<string, MemoryJobStore>();
  const buckets = new Map<string, MemoryKeyValue>();
  let state: Bus['state'] = 'connected';
  let ending: Promise<void> | undefined;

  async function end(): Promise<void> {
    using deadline = deadlineAfter(clock, busLimits.drainTimeoutMs);
    await messaging.drain(deadline.signal);
    state = 'closed';
    messaging.close();
    for (const part of [...stores.values(), ...buckets.values()]) part.close();
  }

  return {
    messaging,
    get state() {
      return state;
    },
    async openJobStore(spec: JobStoreSpec) {
      if (state === 'closed') throw closedError();
      const open = stores.get(spec.name);
      open?.reshape(spec);
      const store = open ?? new MemoryJobStore({ clock, spec });
      stores.set(spec.name, store);
      return store;
    },
    async openKeyValue(spec: KeyValueSpec) {
      if (state === 'closed') throw closedError();
      const open = buckets.get(spec.name);
      open?.reshape(spec);
      const bucket = open ?? new MemoryKeyValue({ clock, spec });
      buckets.set(spec.name, bucket);
      return bucket;
    },
    async [Symbol.asyncDispose]() {
      ending ??= end();
      await ending;
    },
  };
}
