export {
  type Acceptance,
  type AcceptOptions,
  acceptJob,
  type Refusal,
} from './accept-job.ts';
export type {
  Admission,
  AdmissionBounds,
  AdmissionBudgets,
  AdmissionDecision,
  AdmissionRates,
  AdmissionRefusal,
  Asker,
  JobOwner,
} from './admission.ts';
export { admissionBudgetsOf, admissionRatesOf } from './admission-settings.ts';
export { createAdmission } from './bucket-admission.ts';
export { type AskedOfModel, type CallScope, callKeyOf } from './call-key.ts';
export {
  type DeadLetter,
  type Death,
  type DeathReason,
  deadLetter,
} from './deadletters/dead-letter.ts';
export { deadLettersStore } from './deadletters/dead-letters-store.ts';
export { listDeadLetters } from './deadletters/list-dead-letters.ts';
export {
  type Replay,
  type ReplayParts,
  replayDeadLetter,
} from './deadletters/replay-dead-letter.ts';
export { jobsStore } from './jobs-store.ts';
export { createLedger } from './ledger/create-ledger.ts';
export { failedEnd } from './ledger/failed-end.ts';
export type {
  ClaimResult,
  EndResult,
  Ledger,
  LedgerPosts,
  LedgerRead,
  PostedPart,
} from './ledger/ledger.ts';
export { ledgerBucket } from './ledger/ledger-bucket.ts';
export { createMemoryAdmission } from './memory-admission.ts';
export { nextRunId } from './next-run-id.ts';
export { type Cancellation, type CancelParts, cancelJob } from './operator/cancel-job.ts';
export {
  findJobs,
  type JobDetails,
  namedBy,
  type RememberedDetails,
  type StoredDetails,
} from './operator/find-jobs.ts';
export { type JobRecord, type JobState, listJobs, stateOf } from './operator/job-record.ts';
export { type JobStores, openJobStores } from './operator/job-stores.ts';
export { namesJob } from './operator/names-job.ts';
export { type Release, releaseJob } from './operator/release-job.ts';
export {
  callerFlow,
  originOfStored,
  readStoredJob,
  type StoredJob,
  type StoredJobRead,
} from './stored-job.ts';
