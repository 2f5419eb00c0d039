/**
 * A dead letter: a stored job that the fleet has given up, kept whole for an operator. Its headers are
 * the job's own (so its trace and its correlation id lead on) and tell beside them why, when and after
 * how many attempts; its payload is the job's body as it lay in `JOBS`.
 */
import { BusError, type JobStore, type StoredMessage } from '@starling/bus';
import {
  type ErrorCode,
  errorCodes,
  type Headers,
  headerNames,
  jobContract,
  jobId,
  subjects,
} from '@starling/contracts';
import { counter, log } from '@starling/telemetry';
import { z } from 'zod';
import { correlationOf } from '../correlation-of.ts';

/** Why a job was given up. */
export type DeathReason =
  /** Its attempts are used up. */
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  /** Its headers or its body do not decode. */
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** It ended, and its owner did not bring the end to its user for nearly an hour. */
  | { readonly kind: 'undelivered' };

/** A job that is given up. */
export interface Death {
  /** As it lies in `JOBS`. */
  readonly message: StoredMessage & { readonly payload: Uint8Array };
  readonly reason: DeathReason;
  /** Attempts that were made; 0 when nobody ran it. */
  readonly attempts: number;
  /** Wall-clock milliseconds. */
  readonly atMs: number;
}

/** A dead letter as its headers tell it. */
export interface DeadLetter {
  /** What an operator calls it: the id of its job, where there is one. */
  readonly name: string;
  /** Where it lies in `DEADLETTERS`. */
  readonly sequence: number;
  /** The subject that it had in `JOBS`. */
  readonly subject: string;
  readonly reason: DeathReason;
  readonly attempts: number;
  /** When `JOBS` took the job in, and when it was given up; wall-clock milliseconds. */
  readonly storedAtMs: number;
  readonly diedAtMs: number;
  readonly correlationId?: string;
  readonly guildKey?: string;
  readonly userKey?: string;
  /** All of them. */
  readonly headers: Headers;
}

const logger = log('deadletters');
const deadLetters = counter('starling.jobs.dead');

/** How many of the oldest go when the store is full: the list is read once for so many letters. */
const roomFor = 50;
/** Other balancers may fill what was just cleared. */
const maxTries = 4;
const maxProblemLength = 500;

/**
 * Keeps a job that is given up. Several balancers may give up one job: it is kept once. When the store
 * is full the oldest letters go.
 * @param store `deadLettersStore`, opened
 * @returns false when it was kept before
 * @throws {BusError} when the store did not take it: the job is to be left where it is, for another try
 */
export async function deadLetter(store: JobStore, death: Death): Promise<boolean> {
  const { message, reason } = death;
  const name = nameOf(message);
  // What is over the bound is as lost as the reason says; its head would not replay either.
  const payload =
    message.payload.byteLength > jobContract.maxBytes ? new Uint8Array() : message.payload;
  const headers = headersOf(death);
  const id = `${name}@${message.sequence}`;
  for (let tries = 1; ; tries += 1) {
    try {
      const { duplicate } = await store.put(subjects.deadLetter(name), payload, { id, headers });
      if (!duplicate) deadLetters.add(1, { reason: reasonWord(reason) });
      return !duplicate;
    } catch (error) {
      const full = error instanceof BusError && error.code === 'full';
      if (!full || tries >= maxTries) throw error;
    }
    await makeRoom(store);
  }
}

/** The dead letter of a stored message; undefined when it is none of ours. Never throws. */
export function readDeadLetter(message: StoredMessage): DeadLetter | undefined {
  const { headers, sequence, subject } = message;
  const parsed = headerSchema.safeParse(headers);
  const name = subject.split('.').at(-1);
  if (!parsed.success || name === undefined) return undefined;
  const read = parsed.data;
  const code = read[headerNames.deadReason];
  const correlationId = correlationOf(headers);
  const guildKey = headers[headerNames.guild];
  const userKey = headers[headerNames.user];
  return {
    ...{ name, sequence, headers },
    subject: read[headerNames.deadSubject],
    reason: reasonOf(code, read[headerNames.deadProblem]),
    attempts: read[headerNames.deadAttempts],
    storedAtMs: read[headerNames.deadStoredAt],
    diedAtMs: read[headerNames.deadAt],
    ...(correlationId !== undefined && { correlationId }),
    ...(guildKey !== undefined && { guildKey }),
    ...(userKey !== undefined && { userKey }),
  };
}

const unreadable = 'unreadable';
const undelivered = 'undelivered';

const headerSchema = z.object({
  [headerNames.deadReason]: z.enum([...errorCodes, unreadable, undelivered]),
  [headerNames.deadProblem]: z.string().default(''),
  [headerNames.deadAttempts]: z.coerce.number().int().nonnegative(),
  [headerNames.deadAt]: z.coerce.number().nonnegative(),
  [headerNames.deadSubject]: z.string().min(1),
  [headerNames.deadStoredAt]: z.coerce.number().nonnegative(),
});

function nameOf({ sequence, subject }: StoredMessage): string {
  const id = jobId.safeParse(subject.split('.').at(-1));
  return id.success ? id.data : `stored-${sequence}`;
}

function reasonWord(reason: DeathReason): string {
  return reason.kind === 'failed' ? reason.code : reason.kind;
}

function reasonOf(
  word: ErrorCode | typeof unreadable | typeof undelivered,
  problem: string,
): DeathReason {
  if (word === unreadable) return { kind: word, problem: decoded(problem) };
  return word === undelivered ? { kind: word } : { kind: 'failed', code: word };
}

function headersOf({ atMs, attempts, message, reason }: Death): Headers {
  const problem = reason.kind === unreadable ? reason.problem.slice(0, maxProblemLength) : '';
  return {
    ...message.headers,
    [headerNames.deadReason]: reasonWord(reason),
    // A header is one line; what does not decode may say anything. Half a surrogate cannot be encoded.
    ...(problem && { [headerNames.deadProblem]: encodeURIComponent(problem.toWellFormed()) }),
    [headerNames.deadAttempts]: String(attempts),
    [headerNames.deadAt]: String(atMs),
    [headerNames.deadSubject]: message.subject,
    [headerNames.deadStoredAt]: String(message.storedAtMs),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function makeRoom(store: JobStore): Promise<void> {
  const oldest = (await store.list()).slice(0, roomFor);
  await Promise.all(oldest.map(({ sequence }) => store.remove(sequence)));
  logger.warn('letters.gone', { count: oldest.length, oldest: oldest[0]?.subject });
}
