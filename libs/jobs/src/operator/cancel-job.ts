/** Cancels a job wherever it is: its user is told calmly that it was stopped. */
import type { Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  balancerId,
  type Cancel,
  cancelContract,
  decode,
  encode,
  type Job,
  type JobId,
  jobContract,
  type LedgerEnd,
  ownerOfOrigin,
  subjects,
  wakeContract,
} from '@starling/contracts';
import { failedEnd } from '../ledger/failed-end.ts';
import type { LedgerRead } from '../ledger/ledger.ts';
import type { JobStores } from './job-stores.ts';

/** What it came to. */
export type Cancellation =
  /** By the worker that ran it or the balancer that kept it, or by us as nobody of them did. */
  | { readonly kind: 'cancelled'; readonly by: 'fleet' | 'operator'; readonly end: LedgerEnd }
  /** It had ended, or ended otherwise meanwhile. */
  | { readonly kind: 'over'; readonly standing: LedgerRead }
  /** It is not stored, and the ledger does not know it. */
  | { readonly kind: 'unknown' }
  /** Its body does not decode: nobody can tell whom to answer. */
  | { readonly kind: 'unreadable' };

export interface CancelParts extends Pick<JobStores, 'store' | 'ledger'> {
  readonly messaging: Messaging;
  readonly clock: Clock;
  /** Who wants it; an operator unless given. */
  readonly reason?: Cancel['reason'];
  /** How long the fleet has to end it before we do, milliseconds. */
  readonly patienceMs?: number;
}

/** A worker closes its stream and writes the end in milliseconds; this is for one that does not. */
const defaultPatienceMs = 3_000;
const lookEveryMs = 50;
/** Writes of ours that others' claims may come before. */
const maxWrites = 5;
/** Who ends a job where a balancer's name stands. */
const operator = balancerId.parse('operator');

export async function cancelJob(parts: CancelParts, jobId: JobId): Promise<Cancellation> {
  const { clock, ledger, messaging, patienceMs = defaultPatienceMs, store } = parts;
  const { reason = 'operator' } = parts;
  const before = await ledger.read(jobId);
  if (before.kind === 'end' || before.kind === 'newer') return { kind: 'over', standing: before };
  const [stored] = await store.list(subjects.jobAnyLane(jobId));
  if (!stored) return { kind: 'unknown' };
  messaging.publish(subjects.cancel(jobId), encode(cancelContract, { jobId, reason }));
  const giveUpAtMs = clock.monotonicMs() + patienceMs;
  while (clock.monotonicMs() < giveUpAtMs) {
    const read = await ledger.read(jobId);
    if (read.kind === 'end') return judged(read, 'fleet');
    await clock.sleep(lookEveryMs);
  }
  const message = await store.read(stored.sequence);
  const body = message && decode(jobContract, message.payload);
  if (!body?.ok) return body ? { kind: 'unreadable' } : { kind: 'unknown' };
  const ended = await endIt(parts, body.value);
  const wake = encode(wakeContract, { jobId, stored: stored.sequence });
  messaging.publish(subjects.wake(ownerOfOrigin(body.value.origin)), wake);
  return ended;
}

/** Writes the end over whatever claim stands; a claim that comes in between is written over too. */
async function endIt({ clock, ledger }: CancelParts, job: Job): Promise<Cancellation> {
  let standing = await ledger.read(job.jobId);
  for (let writes = 0; writes < maxWrites; writes += 1) {
    if (standing.kind === 'end' || standing.kind === 'newer') break;
    const why = { code: 'cancelled', endedBy: operator, atMs: clock.nowMs() } as const;
    const end = failedEnd(job, { ...why, attempt: attemptOf(standing) });
    const revision = standing.kind === 'none' ? undefined : standing.revision;
    const written = await ledger.end(job.jobId, end, revision);
    if (written.kind === 'ended') return { kind: 'cancelled', by: 'operator', end };
    standing = written.standing;
  }
  return judged(standing, 'fleet');
}

function judged(standing: LedgerRead, by: 'fleet' | 'operator'): Cancellation {
  if (standing.kind !== 'end') return { kind: 'over', standing };
  const { outcome } = standing.end.result;
  const cancelled = outcome.kind === 'failed' && outcome.code === 'cancelled';
  return cancelled ? { kind: 'cancelled', by, end: standing.end } : { kind: 'over', standing };
}

function attemptOf(standing: Exclude<LedgerRead, { kind: 'end' | 'newer' }>): number {
  if (standing.kind === 'run') return standing.run.attempt;
  return standing.kind === 'released' ? standing.released.attempt : 0;
}
