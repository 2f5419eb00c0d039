export { type Acceptance, type AcceptOptions, acceptJob } from './accept-job.ts';
export type { Admission, AdmissionBounds, AdmissionDecision, JobOwner } from './admission.ts';
export { withFallback } from './fallback-admission.ts';
export { jobsQueue } from './jobs-queue.ts';
export { createMemoryAdmission } from './memory-admission.ts';
export { createRedisAdmission } from './redis-admission.ts';
