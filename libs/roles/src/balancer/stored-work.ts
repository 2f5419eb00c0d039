import type { QueuedJob } from '@starling/balance';
import type { StoredMessage } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { readStoredJob } from '@starling/jobs';
import type { RoleTelemetry } from '@starling/telemetry';
import { buryJob } from '../delivery/bury-job.ts';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { QueuedWork } from './queued-work.ts';

/** A job of the feed, as the core and as the shell take it. */
export interface StoredWork {
  readonly header: QueuedJob;
  readonly sequence: number;
  readonly work: QueuedWork;
}

/**
 * Reads a stored job's headers. What a newer process wrote is left to one; what no process can place is
 * buried.
 */
export function storedWork(
  message: StoredMessage,
  parts: {
    readonly jobs: Jobs;
    readonly clock: Clock;
    readonly telemetry: RoleTelemetry;
  },
): StoredWork | undefined {
  const { telemetry } = parts;
  const { headers, sequence, storedAtMs: waitingSinceMs, subject } = message;
  const read = readStoredJob(message);
  if (read.kind === 'newer') {
    telemetry.log('intake').info('job.newer', { subject });
    return undefined;
  }
  if (read.kind === 'invalid') {
    void buryJob(parts, sequence, { kind: 'invalid', problem: read.problem });
    return undefined;
  }
  const { job } = read;
  const { header, owner } = job;
  const { jobId, lane } = header;
  const context = telemetry.contextFrom(headers);
  const body = { kind: 'stored', sequence, job } as const;
  return { header, sequence, work: { jobId, lane, owner, context, body, waitingSinceMs } };
}
