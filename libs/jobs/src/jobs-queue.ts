import type { WorkQueueSpec } from '@starling/bus';
import { subjects } from '@starling/contracts';

/** The durable queue of accepted jobs. */
export const jobsQueue: WorkQueueSpec = {
  name: 'JOBS',
  subjects: [subjects.allJobs],
  /** At 500 jobs a second this is 40 s of work for a fleet that has stopped; more would not be answered in time. */
  maxMessages: 20_000,
  /** Longer than any deadline: what is older was answered with a failure long ago. */
  maxAgeMs: 3_600_000,
  /** Covers a gateway replay (a session may be resumed for about two minutes). */
  dedupeWindowMs: 300_000,
  /** Three missed progress signals of 5 s. */
  ackWaitMs: 15_000,
};
