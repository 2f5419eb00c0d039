import type { QueuedJob } from '@starling/balance';
import type { JobStore, StoredMessage } from '@starling/bus';
import { jobContract } from '@starling/contracts';
import { readStoredJob } from '@starling/jobs';
import { counter, type RoleTelemetry } from '@starling/telemetry';
import type { QueuedWork } from './queued-work.ts';

const quarantined = counter('starling.bus.quarantined');

/** A job of the feed, as the core and as the shell take it. */
export interface StoredWork {
  readonly header: QueuedJob;
  readonly sequence: number;
  readonly work: QueuedWork;
}

/**
 * Reads a stored job's headers. What a newer process wrote is left to one; what no process can place is
 * counted, logged and taken out.
 */
export function storedWork(
  message: StoredMessage,
  parts: { readonly store: Pick<JobStore, 'remove'>; readonly telemetry: RoleTelemetry },
): StoredWork | undefined {
  const { store, telemetry } = parts;
  const { headers, sequence, storedAtMs: waitingSinceMs, subject } = message;
  const read = readStoredJob(message);
  const log = telemetry.log('intake');
  if (read.kind === 'newer') {
    log.info('job.newer', { subject });
    return undefined;
  }
  if (read.kind === 'invalid') {
    quarantined.add(1, { contract: jobContract.name, fault: 'invalid' });
    log.error('job.quarantined', { subject, problem: read.problem });
    // Should this be lost, the next balancer finds it again.
    void store.remove(sequence).catch(() => {});
    return undefined;
  }
  const { header, owner } = read.job;
  const { jobId, lane } = header;
  const context = telemetry.contextFrom(headers);
  const body = { kind: 'stored', sequence } as const;
  return { header, sequence, work: { jobId, lane, owner, context, body, waitingSinceMs } };
}
