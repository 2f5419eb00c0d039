/**
 * What a caller's key stands for. Every request stores its job and reads the ledger at once: which of
 * them is news is decided by the stores, whatever this process or another remembers.
 */
import type { Clock } from '@starling/clock';
import { decode, type ErrorCode, type Job, jobContract, type LedgerEnd } from '@starling/contracts';
import { acceptJob, type LedgerRead } from '@starling/jobs';
import { type Context, injectHeaders, type RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';

export interface AcceptanceParts {
  readonly jobs: Pick<Jobs, 'store' | 'ledger'>;
  readonly clock: Clock;
  readonly telemetry: RoleTelemetry;
}

/** See the module's header. */
export type Found =
  /** It is stored now, and nobody asked for it before. */
  | { readonly kind: 'new' }
  /** It was asked for before and has not ended. */
  | {
      readonly kind: 'running';
      /** As it was accepted; absent when a newer version wrote it. */
      readonly job: Job | undefined;
      /** The attempt that runs; 1 when none does yet. */
      readonly attempt: number;
    }
  | { readonly kind: 'ended'; readonly end: LedgerEnd }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** How long NATS may be away before the request is refused, as the bot's questions are. */
const acceptForMs = 5_000;

/** Stores the job unless its key has one; never rejects. */
export async function acceptKeyed(
  parts: AcceptanceParts,
  job: Job,
  about: { readonly tokenEstimate: number; readonly context: Context },
): Promise<Found> {
  const { clock, jobs, telemetry } = parts;
  const { ledger, store } = jobs;
  const { jobId } = job;
  const log = telemetry.log('durable');
  const [accepted, read] = await Promise.all([
    acceptJob(job, {
      ...{ store, clock, retryForMs: acceptForMs, tokenEstimate: about.tokenEstimate },
      headers: injectHeaders({}, about.context),
    }),
    readOr(undefined, () => ledger.read(jobId)),
  ]);
  if (read?.kind === 'end') {
    // The store has forgotten it and took it in anew: nobody needs it there.
    if (accepted.kind === 'accepted' && !accepted.duplicate) {
      void readOr(undefined, () => store.remove(accepted.sequence));
    }
    return { kind: 'ended', end: read.end };
  }
  if (accepted.kind === 'refused') {
    const { cause: error, code } = accepted;
    telemetry.run(() => log.warn('job.refused', { jobId, code, error }), about.context);
    return { kind: 'refused', code };
  }
  if (!accepted.duplicate) return { kind: 'new' };
  try {
    return await acceptedBefore(parts, { job, sequence: accepted.sequence, read });
  } catch (error) {
    telemetry.run(() => log.warn('job.unread', { jobId, error }), about.context);
    return { kind: 'refused', code: 'no_worker' };
  }
}

async function acceptedBefore(
  { jobs }: AcceptanceParts,
  of: { readonly job: Job; readonly sequence: number; readonly read: LedgerRead | undefined },
): Promise<Found> {
  const message = await jobs.store.read(of.sequence);
  if (!message) {
    // Between the two looks it ended and was removed.
    const read = await jobs.ledger.read(of.job.jobId);
    if (read.kind === 'end') return { kind: 'ended', end: read.end };
    return { kind: 'refused', code: 'internal' };
  }
  const decoded = decode(jobContract, message.payload);
  const attempt = of.read?.kind === 'run' ? of.read.run.attempt : 1;
  return { kind: 'running', job: decoded.ok ? decoded.value : undefined, attempt };
}

async function readOr<T, Otherwise>(
  otherwise: Otherwise,
  work: () => Promise<T>,
): Promise<T | Otherwise> {
  try {
    return await work();
  } catch {
    return otherwise;
  }
}
