/** What a claimed job asks, and what is left of one that cannot be read. */
import type { Clock } from '@starling/clock';
import type { Job } from '@starling/contracts';
import { deadLetter, originOfStored, readStoredJob } from '@starling/jobs';
import type { RoleTelemetry } from '@starling/telemetry';
import { buryJob, unreadable } from '../delivery/bury-job.ts';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { StopReason } from './answer-job.ts';
import type { FetchedBody } from './fetch-body.ts';
import type { WorkerRun } from './worker-run.ts';

export interface RunBodyParts {
  readonly jobs: Pick<Jobs, 'store' | 'letters'>;
  readonly clock: Clock;
  readonly telemetry: RoleTelemetry;
}

/** Whose job it is. */
export type AskedJob = Pick<Job, 'jobId' | 'origin' | 'acceptedAtMs'>;

/** `unreadable`: its headers tell whom to answer, and that is all. `none`: it is let go of. */
export type RunBody =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'unreadable'; readonly job: AskedJob }
  | { readonly kind: 'none' };

/** Waits for the body that was asked for with the claim; never rejects. */
export async function bodyOf(parts: RunBodyParts, run: WorkerRun): Promise<RunBody> {
  const { telemetry } = parts;
  const { jobId, work } = run.request;
  if (work.kind === 'inline') return run.job ? { kind: 'job', job: run.job } : { kind: 'none' };
  // A cancelled job is fetched all the same: its end has to say whose it was.
  const onStop = () => {
    if (run.stop.signal.reason === ('left' satisfies StopReason)) run.unwanted.abort();
  };
  run.stop.signal.addEventListener('abort', onStop, { once: true });
  const body: FetchedBody = (await run.body) ?? { kind: 'unreachable' };
  run.stop.signal.removeEventListener('abort', onStop);
  if (body.kind === 'job') return body;
  const log = telemetry.log('worker');
  const why = body.kind === 'unreadable' ? body.fault.kind : body.kind;
  telemetry.run(() => log.warn('job.without_body', { jobId, why }), run.context);
  // What a newer process wrote is left to one.
  if (body.kind !== 'unreadable' || body.fault.kind === 'newer') return { kind: 'none' };
  return await unreadableJob(parts, body);
}

/** Its user is told of the failure; an operator finds it among the dead letters. */
async function unreadableJob(
  parts: RunBodyParts,
  { fault, message }: Extract<FetchedBody, { kind: 'unreadable' }>,
): Promise<RunBody> {
  const { clock, jobs, telemetry } = parts;
  const read = readStoredJob(message);
  const origin = read.kind === 'job' ? originOfStored(read.job) : undefined;
  if (read.kind !== 'job' || !origin) {
    await buryJob(parts, message.sequence, fault);
    return { kind: 'none' };
  }
  const { acceptedAtMs, jobId } = read.job.header;
  try {
    const atMs = clock.nowMs();
    await deadLetter(jobs.letters, { message, reason: unreadable(fault), attempts: 0, atMs });
  } catch (error) {
    telemetry.log('worker').error('letter.unkept', { jobId, error });
  }
  return { kind: 'unreadable', job: { jobId, origin, acceptedAtMs } };
}
