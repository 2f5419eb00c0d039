export {
  type Acceptance,
  type AcceptOptions,
  acceptJob,
  type Refusal,
  type StoredAcceptance,
} from './accept-job.ts';
export type { Admission, AdmissionBounds, AdmissionDecision, JobOwner } from './admission.ts';
export { withFallback } from './fallback-admission.ts';
export { jobsQueue } from './jobs-queue.ts';
export { jobsStore } from './jobs-store.ts';
export { createLedger } from './ledger/create-ledger.ts';
export { failedEnd } from './ledger/failed-end.ts';
export type {
  ClaimResult,
  EndedJob,
  EndResult,
  Ledger,
  LedgerPosts,
  LedgerRead,
  PostedPart,
} from './ledger/ledger.ts';
export { ledgerBucket } from './ledger/ledger-bucket.ts';
export { createMemoryAdmission } from './memory-admission.ts';
export { endedButStored, jobsPastDeadline } from './reconcile.ts';
export { createRedisAdmission } from './redis-admission.ts';
export { readStoredJob, type StoredJob, type StoredJobRead } from './stored-job.ts';
