/** Answers that their owner did not bring to their user, before `JOBS` forgets them without a word. */
import type { Clock } from '@starling/clock';
import { deadLetter, jobsStore } from '@starling/jobs';
import type { RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { QueuedWork } from './queued-work.ts';

/** So long before `JOBS` lets go of it: stores that are away for some minutes lose nothing. */
const leadMs = 300_000;

type StoredBody = Extract<QueuedWork['body'], { kind: 'stored' }>;

/** Whether a job that ended has been stored for so long that nobody will deliver it any more. */
export function isUndeliverable({ storedAtMs }: StoredBody, nowMs: number): boolean {
  return nowMs - storedAtMs >= jobsStore.maxAgeMs - leadMs;
}

/**
 * Keeps it as a dead letter, then takes it out of `JOBS`. Never rejects; what could not be kept is tried
 * again with the next reminder.
 */
export async function buryUndelivered(
  parts: {
    readonly jobs: Jobs;
    readonly clock: Clock;
    readonly telemetry: RoleTelemetry;
  },
  { body, context, jobId, owner }: QueuedWork,
): Promise<void> {
  if (body.kind !== 'stored') return;
  const { clock, jobs, telemetry } = parts;
  const log = telemetry.log('dispatch');
  try {
    const read = await jobs.ledger.read(jobId);
    if (read.kind !== 'end') return;
    const message = await jobs.store.read(body.sequence);
    if (!message) return;
    const reason = { kind: 'undelivered' } as const;
    const { attempt: attempts } = read.end;
    await deadLetter(jobs.letters, { message, reason, attempts, atMs: clock.nowMs() });
    telemetry.run(() => log.error('answer.undelivered', { jobId, owner }), context);
    await jobs.store.remove(body.sequence);
  } catch (error) {
    telemetry.run(() => log.warn('job.unburied', { jobId, error }), context);
  }
}
