import type { Bus, JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { createLedger, jobsStore, type Ledger, ledgerBucket } from '@starling/jobs';

/** The accepted jobs that are not delivered yet, and what the ledger says of them. */
export interface Jobs {
  readonly store: JobStore;
  readonly ledger: Ledger;
}

/** Opens both on a bus, creating what is not there. */
export async function openJobs(parts: { readonly bus: Bus; readonly clock: Clock }): Promise<Jobs> {
  const { bus, clock } = parts;
  const [store, bucket] = await Promise.all([
    bus.openJobStore(jobsStore),
    bus.openKeyValue(ledgerBucket),
  ]);
  return { store, ledger: createLedger({ bucket, clock }) };
}
