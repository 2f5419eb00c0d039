/**
 * The ends that a balancer writes: of jobs that no worker will answer. Of a stored job it stands in the
 * ledger over the claim that it replaces, and its owner is woken; of an ephemeral one it is sent to the
 * ingress.
 */
import type { LedgerRead as CoreRead } from '@starling/balance';
import type { Messaging } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  type BalancerId,
  type ErrorCode,
  encode,
  type QueuePlace,
  subjects,
  wakeContract,
} from '@starling/contracts';
import { failedEnd, type LedgerRead } from '@starling/jobs';
import { attributeNames, counter, type RoleTelemetry, SpanKind } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import { type DeliveryConfig, sendResult } from '../delivery/send-result.ts';
import { endedJob } from './ended-job.ts';
import type { QueuedWork } from './queued-work.ts';

export interface JobEndsParts {
  readonly jobs: Jobs;
  readonly messaging: Messaging;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  readonly balancerId: BalancerId;
  readonly config: DeliveryConfig;
}

/** Why a job fails, and over which claim. */
export interface FailedJob {
  readonly code: ErrorCode;
  readonly attempt: number;
  readonly previousRevision: number | undefined;
  /** Where it would have stood, when too many wait. */
  readonly place?: QueuePlace;
  /** After this long there is likely to be room for it, milliseconds. */
  readonly retryMs?: number;
}

/** What became of it. `gone`: the job is stored no more. `unclear`: the stores did not answer. */
export type WrittenEnd =
  | { readonly kind: 'stands'; readonly read: CoreRead }
  | { readonly kind: 'gone' | 'unclear' };

const jobsEnded = counter('starling.jobs.ended');

/** Writes the honest failure of a job; never rejects. */
export async function endFailed(
  parts: JobEndsParts,
  work: QueuedWork,
  failed: FailedJob,
): Promise<WrittenEnd> {
  const { body, context, jobId } = work;
  try {
    const job = body.kind === 'inline' ? body.submit : await endedJob(parts, body, failed);
    if ('kind' in job) return job;
    const { balancerId: endedBy, clock } = parts;
    const end = failedEnd(job, { ...failed, endedBy, atMs: clock.nowMs() });
    if (body.kind === 'inline') {
      note(parts, work, failed);
      await sendResult(parts, { result: end.result, context });
      return { kind: 'gone' };
    }
    const written = await parts.jobs.ledger.end(jobId, end, failed.previousRevision);
    if (written.kind === 'fenced') return { kind: 'stands', read: coreRead(written.standing) };
    note(parts, work, failed);
    wakeOwner(parts, work);
    if (body.job.collected) await removeEnded(parts, work);
    return { kind: 'stands', read: { kind: 'end' } };
  } catch (error) {
    const log = parts.telemetry.log('dispatch');
    parts.telemetry.run(() => log.warn('end.unwritten', { jobId, error }), context);
    return { kind: 'unclear' };
  }
}

/** Tells the owner of a stored job that it ended; heard or not, it is told again while the job is stored. */
export function wakeOwner(
  { messaging, telemetry }: Pick<JobEndsParts, 'messaging' | 'telemetry'>,
  { body, jobId, owner }: QueuedWork,
): void {
  if (body.kind !== 'stored') return;
  try {
    const wake = encode(wakeContract, { jobId, stored: body.sequence });
    messaging.publish(subjects.wake(owner), wake);
  } catch (error) {
    telemetry.log('dispatch').debug('wake.unsent', { jobId, error });
  }
}

/**
 * Takes a job whose end is collected from the ledger out of `JOBS`: its owner may be gone for good.
 * Never rejects; what could not be removed is found again.
 */
export async function removeEnded(
  { jobs, telemetry }: Pick<JobEndsParts, 'jobs' | 'telemetry'>,
  { body, context, jobId }: QueuedWork,
): Promise<void> {
  if (body.kind !== 'stored') return;
  try {
    const read = await jobs.ledger.read(jobId);
    if (read.kind === 'end') await jobs.store.remove(body.sequence);
  } catch (error) {
    const log = telemetry.log('dispatch');
    telemetry.run(() => log.debug('job.unremoved', { jobId, error }), context);
  }
}

function releasedRead({ released, revision }: Extract<LedgerRead, { kind: 'released' }>): CoreRead {
  const { attempt, by } = released;
  return { kind: 'released', revision, attempt, byOperator: by === 'operator' };
}

/** What stands in the ledger, as the core takes it. A newer version's entry is that version's business. */
export function coreRead(read: LedgerRead): CoreRead {
  switch (read.kind) {
    case 'none':
      return read;
    case 'run':
      return { kind: 'run', revision: read.revision, attempt: read.run.attempt };
    case 'released':
      return releasedRead(read);
    case 'end':
    case 'newer':
      return { kind: 'end' };
  }
}

function note(
  { clock, telemetry }: JobEndsParts,
  { context, jobId, waitingSinceMs }: QueuedWork,
  { attempt, code }: FailedJob,
): void {
  const endMs = clock.nowMs();
  telemetry.timeline(clock).record('queue', {
    ...{ startMs: Math.min(waitingSinceMs, endMs), endMs },
    ...{ parent: context, kind: SpanKind.CONSUMER },
    attributes: { [attributeNames.jobId]: jobId, [attributeNames.errorCode]: code },
  });
  jobsEnded.add(1, { role: 'balancer', ending: code });
  const log = telemetry.log('dispatch');
  telemetry.run(() => log.warn('job.failed', { jobId, code, attempt }), context);
}
