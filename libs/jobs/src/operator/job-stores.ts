import type { Bus, JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { deadLettersStore } from '../deadletters/dead-letters-store.ts';
import { jobsStore } from '../jobs-store.ts';
import { createLedger } from '../ledger/create-ledger.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerBucket } from '../ledger/ledger-bucket.ts';

/** Everything durable about jobs, for an operator's commands. */
export interface JobStores {
  /** `JOBS`. */
  readonly store: JobStore;
  readonly ledger: Ledger;
  /** `DEADLETTERS`. */
  readonly letters: JobStore;
}

/** A person waits: longer than a server needs to come back from a restart. */
const retryForMs = 5_000;

/**
 * Opens all three, creating what is not there.
 * @throws {BusError} when the server does not answer, or has something else under these names
 */
export async function openJobStores(parts: {
  readonly bus: Bus;
  readonly clock: Clock;
}): Promise<JobStores> {
  const { bus, clock } = parts;
  const [store, bucket, letters] = await Promise.all([
    bus.openJobStore(jobsStore),
    bus.openKeyValue(ledgerBucket),
    bus.openJobStore(deadLettersStore),
  ]);
  return { store, ledger: createLedger({ bucket, clock, retryForMs }), letters };
}
