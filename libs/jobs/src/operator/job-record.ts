/** A stored job as an operator sees it: what its headers tell, and what the ledger says of it. */
import type { StoredMessage } from '@starling/bus';
import type { ErrorCode, LedgerEnd, WorkerId } from '@starling/contracts';
import { correlationOf } from '../correlation-of.ts';
import type { LedgerRead } from '../ledger/ledger.ts';
import { readStoredJob } from '../stored-job.ts';
import type { JobStores } from './job-stores.ts';

/** Where a job stands. */
export type JobState =
  /** Nobody runs it; `attempts` were made. */
  | { readonly kind: 'waiting'; readonly attempts: number }
  | {
      readonly kind: 'running';
      readonly workerId: WorkerId;
      readonly attempt: number;
      readonly sinceMs: number;
    }
  /** Over; while it is stored its owner has not delivered it. */
  | {
      readonly kind: 'ended';
      readonly outcome: 'done' | 'failed' | 'cancelled';
      readonly code?: ErrorCode;
      readonly attempt: number;
      readonly workerId?: WorkerId;
      readonly atMs: number;
    }
  /** Of a newer version: this one cannot read it. */
  | { readonly kind: 'newer' }
  | { readonly kind: 'unreadable'; readonly problem: string };

/** One job in `JOBS`. */
export interface JobRecord {
  /** The last part of its subject; of a broken one perhaps no job id. */
  readonly jobId: string;
  /** Where it lies in `JOBS`. */
  readonly sequence: number;
  readonly state: JobState;
  readonly lane?: string;
  readonly guildKey?: string;
  readonly userKey?: string;
  /** Who delivers its answer. */
  readonly owner?: string;
  readonly correlationId?: string;
  /** Wall-clock milliseconds. */
  readonly acceptedAtMs: number;
  readonly deadlineAtMs?: number;
}

/** Ledger entries that are read at once. */
const readAtOnce = 50;

/** The newest `most` stored jobs, newest last, and how many there are. */
export async function listJobs(
  stores: Pick<JobStores, 'store' | 'ledger'>,
  { most }: { readonly most: number },
): Promise<{ readonly jobs: readonly JobRecord[]; readonly total: number }> {
  const stored = await stores.store.list();
  const shown = stored.slice(-most);
  const jobs: JobRecord[] = [];
  while (jobs.length < shown.length) {
    const next = shown.slice(jobs.length, jobs.length + readAtOnce);
    jobs.push(...(await Promise.all(next.map((message) => recordOf(stores, message)))));
  }
  return { jobs, total: stored.length };
}

/** What is known of a stored job without its body. */
export async function recordOf(
  { ledger }: Pick<JobStores, 'ledger'>,
  message: StoredMessage,
): Promise<JobRecord> {
  const { headers, sequence, storedAtMs, subject } = message;
  const jobId = subject.split('.').at(-1) ?? subject;
  const correlationId = correlationOf(headers);
  const known = {
    ...{ jobId, sequence, acceptedAtMs: storedAtMs },
    ...(correlationId !== undefined && { correlationId }),
  };
  const read = readStoredJob(message);
  if (read.kind === 'newer') return { ...known, state: { kind: 'newer' } };
  if (read.kind === 'invalid') {
    return { ...known, state: { kind: 'unreadable', problem: read.problem } };
  }
  const { guildId, header, owner } = read.job;
  const { deadlineAtMs, lane, userKey } = header;
  return {
    ...known,
    ...{ lane, owner, userKey, deadlineAtMs },
    ...(guildId !== undefined && { guildKey: guildId }),
    state: stateOf(await ledger.read(header.jobId)),
  };
}

/** The ledger's word as an operator reads it. */
export function stateOf(read: LedgerRead): JobState {
  switch (read.kind) {
    case 'none':
      return { kind: 'waiting', attempts: 0 };
    case 'released':
      return { kind: 'waiting', attempts: read.released.attempt };
    case 'run': {
      const { atMs, attempt, workerId } = read.run;
      return { kind: 'running', workerId, attempt, sinceMs: atMs };
    }
    case 'end':
      return endedState(read.end);
    case 'newer':
      return { kind: 'newer' };
  }
}

function endedState({ atMs, attempt, result, workerId }: LedgerEnd): JobState {
  const by = { atMs, attempt, ...(workerId !== undefined && { workerId }) };
  if (result.outcome.kind === 'done') return { kind: 'ended', outcome: 'done', ...by };
  const { code } = result.outcome;
  return { kind: 'ended', outcome: code === 'cancelled' ? 'cancelled' : 'failed', code, ...by };
}
