/** Replay: a dead letter becomes a job once more, with the time to its deadline that it had at first. */
import type { JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type DecodeFault,
  decode,
  encode,
  type Headers,
  headerNames,
  type Job,
  type JobId,
  jobContract,
  subjects,
} from '@starling/contracts';
import type { Ledger } from '../ledger/ledger.ts';
import { nextRunId } from '../next-run-id.ts';
import { headersOfJob, subjectOfJob } from '../stored-job.ts';
import type { DeadLetter } from './dead-letter.ts';

/** What became of it. */
export type Replay =
  /** It is a job again, under this id; the letter is gone. */
  | { readonly kind: 'replayed'; readonly jobId: JobId }
  /** An earlier replay of it got so far; the letter is gone now. */
  | { readonly kind: 'replayed_before'; readonly jobId: JobId }
  /** Its failure still waits for its owner: replayed now, it might overwrite the answer. */
  | { readonly kind: 'undelivered'; readonly jobId: JobId }
  /** It was answered after all, by a worker that was taken for dead. */
  | { readonly kind: 'answered'; readonly jobId: JobId }
  /** Its body still does not decode here. */
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** Somebody else replayed or dropped it, or it was too old. */
  | { readonly kind: 'gone' };

export interface ReplayParts {
  /** `JOBS`. */
  readonly store: JobStore;
  /** `DEADLETTERS`. */
  readonly letters: JobStore;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly clock: Clock;
}

/** A forged or broken deadline gets this much time. */
const leastBudgetMs = 10_000;
/** Of text without a count, so many characters are taken for one LLM token. */
const charactersPerToken = 4;

/**
 * Puts a dead letter back into `JOBS`, then takes the letter out. A job whose failure was final gets a
 * new id, always the same one for a letter: should a replay be cut off in the middle, the next finds it.
 * @throws {BusError} when a store did not answer: the same call may be made again
 */
export async function replayDeadLetter(parts: ReplayParts, letter: DeadLetter): Promise<Replay> {
  const { clock, ledger, letters, store } = parts;
  const message = await letters.read(letter.sequence);
  if (!message) return { kind: 'gone' };
  const decoded = decode(jobContract, message.payload);
  if (!decoded.ok) return { kind: 'unreadable', problem: problemOf(decoded.fault) };
  const dead = decoded.value;

  const standing = await ledger.read(dead.jobId);
  const { kind: died } = letter.reason;
  const isAnswered = standing.kind === 'end' && standing.end.result.outcome.kind === 'done';
  // An answer that nobody delivered is no reason to leave it.
  if (isAnswered && died !== 'undelivered') return { kind: 'answered', jobId: dead.jobId };
  // The ledger forgets an end after an hour; the cluster that told the user of it may not.
  const final = died !== 'unreadable' || standing.kind === 'end';
  if (final && (await store.list(subjects.jobAnyLane(dead.jobId))).length > 0)
    return { kind: 'undelivered', jobId: dead.jobId };
  const id = final ? nextRunId(dead.jobId) : dead.jobId;

  let before = final && (await ledger.read(id)).kind !== 'none';
  if (!before) {
    const job = anew(dead, { jobId: id, nowMs: clock.nowMs() });
    const { duplicate } = await store.put(subjectOfJob(job), encode(jobContract, job), {
      // Of its own: under the job's id it was stored before, perhaps minutes ago.
      id: `${id}@${letter.sequence}`,
      headers: headersOfJob(job, {
        tokenEstimate: estimateOf(job, letter),
        headers: trace(letter),
      }),
    });
    before = duplicate;
  }
  await letters.remove(letter.sequence);
  return { kind: before ? 'replayed_before' : 'replayed', jobId: id };
}

/** The same question with the same time to answer it, and with a call of its own: somebody looks on. */
function anew(dead: Job, { jobId, nowMs }: { readonly jobId: JobId; readonly nowMs: number }): Job {
  const budgetMs = Math.max(leastBudgetMs, dead.deadlineAtMs - dead.acceptedAtMs);
  const { callKey: _, ...question } = dead;
  return { ...question, jobId, acceptedAtMs: nowMs, deadlineAtMs: nowMs + budgetMs };
}

function estimateOf(job: Job, { headers }: DeadLetter): number {
  const told = Number(headers[headerNames.tokenEstimate]);
  if (Number.isSafeInteger(told) && told > 0) return told;
  const characters = job.messages.reduce((sum, { content }) => sum + content.length, 0);
  return Math.ceil(characters / charactersPerToken) + job.maxCompletionTokens;
}

/** It goes on under the correlation id that its user was told. */
function trace({ correlationId, headers }: DeadLetter): Headers {
  const kept = [headerNames.traceparent, headerNames.tracestate, headerNames.baggage];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (headers[name] ? [[name, headers[name]]] : []))),
    ...(correlationId !== undefined && { [headerNames.correlationId]: correlationId }),
  };
}

function problemOf(fault: DecodeFault): string {
  return fault.kind === 'invalid' ? fault.problem : fault.kind.replaceAll('_', ' ');
}
