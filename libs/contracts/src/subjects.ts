import type { BalancerId, ClusterId, IngressId, JobId, WorkerId } from './ids.ts';
import type { Lane } from './job.ts';
import type { OwnerId } from './origin.ts';

/** Every subject in one place; ids are single subject tokens by their schemas. */
export const subjects = {
  job: (lane: Lane, job: JobId) => `jobs.${lane}.${job}`,
  /**
   * A job that a caller of an ingress names by a key of its own, in whichever lane it waits: `JOBS` takes
   * one message a subject, so that a key is one job even when it comes again with another lane.
   */
  keyedJob: (job: JobId) => `jobs.ingress.${job}`,
  allJobs: 'jobs.>',
  /** A job in whichever lane. */
  jobAnyLane: (job: JobId) => `jobs.*.${job}`,
  run: (worker: WorkerId) => `workers.${worker}.run`,
  load: (worker: WorkerId) => `load.${worker}`,
  allLoad: 'load.*',
  cancel: (job: JobId) => `cancel.${job}`,
  allCancels: 'cancel.*',
  frame: (owner: OwnerId, job: JobId, attempt: number) => `frames.${owner}.${job}.${attempt}`,
  framesOf: (owner: OwnerId) => `frames.${owner}.>`,
  framesOfJob: (owner: OwnerId, job: JobId) => `frames.${owner}.${job}.*`,
  result: (owner: OwnerId) => `results.${owner}`,
  outlook: (owner: OwnerId) => `outlook.${owner}`,
  wake: (owner: OwnerId) => `wake.${owner}`,
  allWakes: 'wake.*',
  released: (job: JobId) => `released.${job}`,
  allReleases: 'released.*',
  /** A dead letter, by its name: the id of its job where it has a readable one. */
  deadLetter: (name: string) => `deadletters.${name}`,
  allDeadLetters: 'deadletters.*',
  resend: (job: JobId) => `resend.${job}`,
  allResends: 'resend.*',
  balancerHeartbeat: 'bal.hb',
  took: 'bal.took',
  breakerState: 'cb.state',
  submit: (balancer: BalancerId) => `submit.${balancer}`,
  returned: (ingress: IngressId) => `returned.${ingress}`,
  exchange: (cluster: ClusterId) => `exchanges.${cluster}`,
  allExchanges: 'exchanges.*',
} as const;
