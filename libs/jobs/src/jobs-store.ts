import type { JobStoreSpec } from '@starling/bus';
import { subjects } from '@starling/contracts';

/** The durable set of accepted jobs that are not delivered yet. */
export const jobsStore: JobStoreSpec = {
  name: 'JOBS',
  subjects: [subjects.allJobs],
  /** At 500 jobs a second this is 40 s of work for a fleet that has stopped; more would not be answered in time. */
  maxMessages: 20_000,
  /** Longer than any deadline, and no longer than the ledger remembers an end. */
  maxAgeMs: 3_600_000,
  /** Covers a gateway replay (a session may be resumed for about two minutes). */
  dedupeWindowMs: 300_000,
};
