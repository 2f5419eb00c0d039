import type { KeyValueSpec } from '@starling/bus';
import { ledgerEntryContract } from '@starling/contracts';

/** Where the ledger is kept. */
export const ledgerBucket: KeyValueSpec = {
  name: 'LEDGER',
  /** At least as long as `JOBS` keeps a message, so that a job that ended is never taken for a new one. */
  ttlMs: 3_600_000,
  /** Some 350 000 ends of 3 kB: 12 minutes at 500 jobs a second, when the oldest go before their time. */
  maxBytes: 1_073_741_824,
  maxValueBytes: ledgerEntryContract.maxBytes,
};
