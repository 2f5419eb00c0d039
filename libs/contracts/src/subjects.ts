import type { ClusterId, JobId, WorkerId } from './ids.ts';
import type { Lane } from './job.ts';

/** Every subject in one place; ids are single subject tokens by their schemas. */
export const subjects = {
  job: (lane: Lane, job: JobId) => `jobs.${lane}.${job}`,
  allJobs: 'jobs.>',
  run: (worker: WorkerId) => `workers.${worker}.run`,
  load: (worker: WorkerId) => `load.${worker}`,
  allLoad: 'load.*',
  cancel: (job: JobId) => `cancel.${job}`,
  allCancels: 'cancel.*',
  frame: (cluster: ClusterId, job: JobId, attempt: number) => `frames.${cluster}.${job}.${attempt}`,
  framesOf: (cluster: ClusterId) => `frames.${cluster}.>`,
  result: (cluster: ClusterId) => `results.${cluster}`,
  exchange: (cluster: ClusterId) => `exchanges.${cluster}`,
  allExchanges: 'exchanges.*',
} as const;
