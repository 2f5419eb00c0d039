import type { GuildId, JobId, UserId } from '@starling/contracts';

/** Whose place a job takes. */
export interface JobOwner {
  readonly jobId: JobId;
  readonly userId: UserId;
  /** Absent in a direct message, which no guild's bound counts. */
  readonly guildId?: GuildId;
}

/** The word on one job. A refusal says which bound was met and by when a place is surely free. */
export type AdmissionDecision =
  | {
      readonly kind: 'admitted';
      /** True when this job held its place already: a replay is not charged twice. */
      readonly replay: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly code: 'user_busy' | 'too_busy';
      /** Wall-clock milliseconds: the earliest hold of that bound has expired then. */
      readonly retryAtMs: number;
    };

/**
 * Bounds on what is queued or in flight, so that nobody fills the queue alone (design: "bounded at
 * admission, per user and guild"). A hold is given back by {@link Admission.release} at the job's
 * ending, and expires by itself should its process die.
 *
 * Adapters: Redis and memory; one contract suite holds both (`@starling/jobs/testing`).
 */
export interface Admission {
  /** Takes a place for `holdMs` milliseconds at most, or says why not. Charged once a job id. */
  admit(owner: JobOwner, options: { readonly holdMs: number }): Promise<AdmissionDecision>;
  /** Gives the place back. Harmless when it was given back or expired before. */
  release(owner: JobOwner): Promise<void>;
}

export interface AdmissionBounds {
  /** Jobs queued or in flight for one user, over all guilds. */
  readonly perUser: number;
  /** Jobs queued or in flight for one guild. */
  readonly perGuild: number;
}
