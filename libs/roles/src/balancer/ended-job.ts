/** Whose job it was that a balancer ends, as far as the end has to say. */
import type { Clock } from '@starling/clock';
import { type DecodeFault, decode, type ErrorCode, jobContract } from '@starling/contracts';
import { type Death, deadLetter, type failedEnd, originOfStored } from '@starling/jobs';
import type { RoleTelemetry } from '@starling/telemetry';
import { buryJob, unreadable } from '../delivery/bury-job.ts';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { QueuedWork } from './queued-work.ts';

interface EndedJobParts {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly telemetry: RoleTelemetry;
}

/** What an end says of its job. */
type EndedJob = Parameters<typeof failedEnd>[0];

const otherJob: DecodeFault = { kind: 'invalid', problem: 'it names another job' };

/** Why nothing can be said. `gone`: it is stored no more. `unclear`: to be tried again. */
type NoJob = { readonly kind: 'gone' | 'unclear' };

/**
 * The headers tell it of a question in Discord, so that a thousand that are too late cost no bodies;
 * else the body does. What used its attempts up is kept for an operator; what neither headers nor body
 * can tell is buried.
 * @throws {BusError} when the store does not answer
 */
export async function endedJob(
  parts: EndedJobParts,
  { job, sequence }: Extract<QueuedWork['body'], { kind: 'stored' }>,
  { attempt: attempts, code }: { readonly attempt: number; readonly code: ErrorCode },
): Promise<EndedJob | NoJob> {
  const atMs = parts.clock.nowMs();
  const { acceptedAtMs, jobId } = job.header;
  const origin = originOfStored(job);
  const told = origin && { jobId, origin, acceptedAtMs };
  const isDead = code === 'gave_up';
  if (told && !job.collected && !isDead) return told;
  const message = await parts.jobs.store.read(sequence);
  if (!message) return { kind: 'gone' };
  const decoded = decode(jobContract, message.payload);
  if (decoded.ok && decoded.value.jobId === jobId) {
    const reason = { kind: 'failed', code } as const;
    if (isDead) await keepDead(parts, { message, reason, attempts, atMs });
    return decoded.value;
  }
  const fault = decoded.ok ? otherJob : decoded.fault;
  if (fault.kind === 'newer') return { kind: 'gone' };
  if (!told) return { kind: (await buryJob(parts, sequence, fault)) ? 'gone' : 'unclear' };
  await keepDead(parts, { message, reason: unreadable(fault), attempts, atMs });
  return told;
}

/** Its user is told in any case: what cannot be kept is only logged. */
async function keepDead({ jobs, telemetry }: EndedJobParts, death: Death): Promise<void> {
  const { headers, subject } = death.message;
  try {
    await deadLetter(jobs.letters, death);
  } catch (error) {
    const log = telemetry.log('dispatch');
    const context = telemetry.contextFrom(headers);
    telemetry.run(() => log.error('letter.unkept', { subject, error }), context);
  }
}
