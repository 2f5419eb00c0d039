import type { Bus, JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  createLedger,
  deadLettersStore,
  jobsStore,
  type Ledger,
  ledgerBucket,
} from '@starling/jobs';

/** The accepted jobs that are not delivered yet, and what the ledger says of them. */
export interface Jobs {
  readonly store: JobStore;
  readonly ledger: Ledger;
  /** Jobs that were given up, for an operator. */
  readonly letters: JobStore;
}

/** Opens all three on a bus, creating what is not there. */
export async function openJobs(parts: { readonly bus: Bus; readonly clock: Clock }): Promise<Jobs> {
  const { bus, clock } = parts;
  const [store, bucket, letters] = await Promise.all([
    bus.openJobStore(jobsStore),
    bus.openKeyValue(ledgerBucket),
    bus.openJobStore(deadLettersStore),
  ]);
  return { store, ledger: createLedger({ bucket, clock }), letters };
}
