import type { QueuedJob } from '@starling/balance';
import type { StoredMessage } from '@starling/bus';
import { readStoredJob } from '@starling/jobs';
import type { Context, RoleTelemetry } from '@starling/telemetry';
import type { Burials } from './burials.ts';
import type { ClockWatch } from './clock-watch.ts';
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
    readonly telemetry: RoleTelemetry;
    readonly burials: Pick<Burials, 'add'>;
    readonly clocks?: ClockWatch | undefined;
  },
): StoredWork | undefined {
  const { telemetry } = parts;
  const { headers, sequence, storedAtMs, subject } = message;
  const read = readStoredJob(message);
  if (read.kind === 'newer') {
    telemetry.log('intake').info('job.newer', { subject });
    return undefined;
  }
  if (read.kind === 'invalid') {
    parts.burials.add(sequence, { kind: 'invalid', problem: read.problem });
    return undefined;
  }
  const { job } = read;
  const { header, owner } = job;
  const { deadlineAtMs, jobId, lane } = header;
  parts.clocks?.stored({ owner, deadlineAtMs, storedAtMs });
  const body = { kind: 'stored', sequence, storedAtMs, job } as const;
  let context: Context | undefined;
  const work: QueuedWork = {
    ...{ jobId, lane, owner, body, waitingSinceMs: storedAtMs },
    // Every balancer keeps every job, and one of them reads its trace.
    get context() {
      context ??= telemetry.contextFrom(headers);
      return context;
    },
  };
  return { header, sequence, work };
}
