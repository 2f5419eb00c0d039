/**
 * Admission as one pure function: the memory adapter runs it, and `admit.lua` is held to it on a real
 * Redis, step by step. A hold is alive until the millisecond of its end, in which it is over.
 */
import type { JobId } from '@starling/contracts';
import type { AdmissionBounds, AdmissionDecision } from './admission.ts';

/** Job to the end of its hold, wall-clock milliseconds. */
export type Holds = ReadonlyMap<JobId, number>;

/** What the two owners of one job hold; a direct message has no guild. */
export interface Held {
  readonly user: Holds;
  readonly guild: Holds | undefined;
}

/** A job that asks for a place. */
export interface AskedPlace extends AdmissionBounds {
  readonly jobId: JobId;
  /** How long the place is held at most, milliseconds. */
  readonly holdMs: number;
}

/** The word on the job, and what its owners hold after it. */
export interface AdmissionStep {
  readonly decision: AdmissionDecision;
  readonly held: Held;
}

/** Judges one job. The user's bound is asked first; a refusal takes no place of either. */
export function admissionStep(held: Held, asked: AskedPlace, nowMs: number): AdmissionStep {
  const { jobId, holdMs, perGuild, perUser } = asked;
  const user = alive(held.user, nowMs);
  const guild = held.guild && alive(held.guild, nowMs);
  if (user.has(jobId)) {
    return { decision: { kind: 'admitted', replay: true }, held: { user, guild } };
  }
  if (user.size >= perUser) {
    return { decision: refused('user_busy', user), held: { user, guild } };
  }
  if (guild && guild.size >= perGuild) {
    return { decision: refused('too_busy', guild), held: { user, guild } };
  }
  const untilMs = nowMs + holdMs;
  return {
    decision: { kind: 'admitted', replay: false },
    held: {
      user: new Map(user).set(jobId, untilMs),
      guild: guild && new Map(guild).set(jobId, untilMs),
    },
  };
}

function alive(holds: Holds, nowMs: number): Holds {
  return new Map([...holds].filter(([, untilMs]) => untilMs > nowMs));
}

function refused(code: 'user_busy' | 'too_busy', holds: Holds): AdmissionDecision {
  return { kind: 'refused', code, retryAtMs: Math.min(...holds.values()) };
}
