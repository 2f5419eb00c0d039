/** The durable stores with jobs in them, over the in-memory bus or a real server. */
import { type Bus, connectNats, createMemoryBus } from '@starling/bus';
import { type Clock, type SimulatedClock, seededRandom, systemClock } from '@starling/clock';
import {
  callKey,
  type Headers,
  headerNames,
  type JobId,
  jobContract,
  subjects,
} from '@starling/contracts';
import { startNatsServer } from '@starling/harness';
import { expect } from 'vitest';
import { acceptJob, type JobStores, openJobStores } from '../src/index.ts';
import { sampleJob } from './ledger-sample.ts';

export interface Stores extends JobStores, AsyncDisposable {
  readonly bus: Bus;
  /** Accepts a whole job; its correlation id is the first digits of its trace. */
  accept(id: JobId, options?: { readonly traceId?: string }): Promise<number>;
  /** Puts bytes where a job would lie. */
  storeRaw(id: JobId, payload: Uint8Array, headers?: Headers): Promise<number>;
  /** What lies there, as whoever gives it up has it. */
  whole(sequence: number): Promise<NonNullable<Awaited<ReturnType<JobStores['store']['read']>>>>;
}

export const traceId = 'abcd0123'.padEnd(32, '4');

/** On a server of its own. */
export async function natsStores(): Promise<Stores> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startNatsServer());
  const clock = systemClock;
  const bus = starting.use(
    await connectNats({ url: server.url, name: 'operator', connectTimeoutMs: 10_000, clock }),
  );
  const stores = await openJobStores({ bus, clock });
  const owned = starting.move();
  return withJobs({ ...stores, bus, clock }, () => owned.disposeAsync());
}

/** In memory, on a simulated clock. */
export async function memoryStores(clock: SimulatedClock): Promise<Stores> {
  const bus = createMemoryBus({ clock, random: seededRandom(1) });
  const stores = await openJobStores({ bus, clock });
  return withJobs({ ...stores, bus, clock }, () => bus[Symbol.asyncDispose]());
}

function withJobs(
  stores: JobStores & { readonly bus: Bus; readonly clock: Clock },
  dispose: () => PromiseLike<void>,
): Stores {
  const { clock, store } = stores;
  return {
    ...stores,
    async accept(id, options = {}) {
      const nowMs = clock.nowMs();
      const times = { acceptedAtMs: nowMs, deadlineAtMs: nowMs + 60_000 };
      const job = sampleJob(id, { ...times, callKey: sharedKey });
      const trace = options.traceId ?? traceId;
      const headers = {
        [headerNames.traceparent]: `00-${trace}-0123456789abcdef-01`,
        [headerNames.correlationId]: trace.slice(0, 8),
      };
      const how = { store, clock, headers, tokenEstimate: 42, retryForMs: 0 };
      const accepted = await acceptJob(job, how);
      return accepted.kind === 'accepted' ? accepted.sequence : expect.fail();
    },
    async storeRaw(id, payload, headers = {}) {
      const subject = subjects.job('interactive', id);
      return (await store.put(subject, payload, { id, headers })).sequence;
    },
    whole: async (sequence) =>
      (await store.read(sequence)) ?? expect.fail(`nothing at ${sequence}`),
    [Symbol.asyncDispose]: async () => dispose(),
  };
}

const sharedKey = callKey.parse('abcdefghijklmnopqrstuv');

/** More than a job may have. */
export const tooLarge = new Uint8Array(jobContract.maxBytes + 1);
