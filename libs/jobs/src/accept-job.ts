/**
 * Acceptance: the moment a question becomes the fleet's promise. The job is published under its own
 * id and nothing is announced before the server has stored it (PubAck). A lost PubAck is asked for
 * again: the same id is stored once.
 */
import { BusError, type JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  EncodeError,
  type ErrorCode,
  encode,
  type Headers,
  type Job,
  jobContract,
} from '@starling/contracts';
import { headersOfJob, subjectOfJob } from './stored-job.ts';

export interface AcceptOptions {
  readonly store: Pick<JobStore, 'put'>;
  readonly clock: Clock;
  /** Estimated LLM tokens, prompt and completion together: what fairness counts in. */
  readonly tokenEstimate: number;
  /** Trace context and correlation id; see `injectHeaders` of the telemetry. */
  readonly headers: Headers;
  /** How long the server may be unreachable before the question is refused, milliseconds. */
  readonly retryForMs: number;
}

/** Why a question did not become a job. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly cause: unknown;
  /** No clear answer came: it may have been stored all the same, and then it runs. */
  readonly maybeStored: boolean;
}

export type Acceptance =
  | {
      readonly kind: 'accepted';
      /** True when the id was accepted before: a replay. */
      readonly duplicate: boolean;
      /** Where the job lies in the store, to be removed when delivered. */
      readonly sequence: number;
    }
  | Refusal;

/** Between tries (protocol: accept). */
const retryEveryMs = 100;

/** One try may take this long. */
const tryTimeoutMs = 2_000;

/** Stores the job; resolves after the PubAck, or with a refusal when the bound is reached. */
export async function acceptJob(job: Job, options: AcceptOptions): Promise<Acceptance> {
  const { clock, retryForMs, store } = options;
  const payload = payloadOf(job);
  if ('kind' in payload) return payload;
  const headers = headersOfJob(job, options);
  const subject = subjectOfJob(job);
  const message = { id: job.jobId, headers, timeoutMs: tryTimeoutMs };
  const giveUpAtMs = clock.monotonicMs() + retryForMs;

  for (let tries = 1; ; tries++) {
    try {
      const stored = await store.put(subject, payload, message);
      // An id that only our own earlier try can have stored is not a replay, but saying so costs
      // nothing: the result arrives either way.
      return { kind: 'accepted', ...stored, duplicate: stored.duplicate && tries === 1 };
    } catch (cause) {
      const code = cause instanceof BusError ? cause.code : undefined;
      if (code === 'full') return refusal('too_busy', cause);
      if (code === 'too_large') return refusal('too_long', cause);
      if (clock.monotonicMs() + retryEveryMs >= giveUpAtMs) {
        return refusal('no_worker', cause, { maybeStored: true });
      }
    }
    await clock.sleep(retryEveryMs);
  }
}

function refusal(
  code: ErrorCode,
  cause: unknown,
  { maybeStored } = { maybeStored: false },
): Refusal {
  return { kind: 'refused', code, cause, maybeStored };
}

/** What is stored; a job is as large as its question, its history and its persona together. */
function payloadOf(job: Job): Uint8Array | Refusal {
  try {
    return encode(jobContract, job);
  } catch (cause) {
    if (!(cause instanceof EncodeError) || cause.fault !== 'too_large') throw cause;
    return refusal('too_long', cause);
  }
}
