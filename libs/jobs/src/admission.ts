import type { ChannelId, GuildId, JobId, RefusalCode, UserId } from '@starling/contracts';

/** Whose place a job takes. */
export interface JobOwner {
  readonly jobId: JobId;
  readonly userId: UserId;
  /** Absent in a direct message, which no guild's bound counts. */
  readonly guildId?: GuildId;
}

/** Who asks, and where. */
export interface Asker extends JobOwner {
  readonly channelId?: ChannelId;
  /** Ids of the roles that the user has in the guild. */
  readonly roles?: readonly string[];
}

/** A refusal says which limit was met, whose it is, and when trying again helps. */
export interface AdmissionRefusal {
  readonly kind: 'refused';
  readonly code: Extract<
    RefusalCode,
    | 'user_busy'
    | 'too_busy'
    | 'user_limited'
    | 'channel_limited'
    | 'guild_limited'
    | 'user_budget'
    | 'channel_budget'
    | 'guild_budget'
  >;
  /** Wall-clock milliseconds: by then there is room, if nobody else takes it. */
  readonly retryAtMs: number;
}

/** The word on one job. */
export type AdmissionDecision =
  | {
      readonly kind: 'admitted';
      /** True when this job held its place already: a replay is not charged twice. */
      readonly replay: boolean;
    }
  | AdmissionRefusal;

/**
 * Bounds on what is queued or in flight, so that nobody fills the queue alone (design: "bounded at
 * admission, per user and guild"), and on how often somebody may ask. A place is given back by
 * {@link Admission.release} at the job's ending, and expires by itself should its process die.
 *
 * It is one call of the buckets, of any adapter; one suite holds it on each (`@starling/jobs/testing`).
 */
export interface Admission {
  /** Takes a place for `holdMs` milliseconds at most, or says why not. Charged once a job id. */
  admit(asker: Asker, options: AdmitOptions): Promise<AdmissionDecision>;
  /**
   * Gives the place back, and settles the budgets to what was really used. Harmless when it was given back
   * or expired before.
   */
  release(asker: Asker, used?: { readonly tokens: number }): Promise<void>;
}

export interface AdmitOptions {
  readonly holdMs: number;
  /** LLM tokens that the question may cost at most: reserved in the budgets. */
  readonly tokens?: number;
}

export interface AdmissionBounds {
  /** Jobs queued or in flight for one user, over all guilds. */
  readonly perUser: number;
  /** Jobs queued or in flight for one guild. */
  readonly perGuild: number;
  /** How often one may ask; absent: as often as one likes. */
  readonly rates?: AdmissionRates | undefined;
  /** What one may spend; absent: as much as one likes. */
  readonly budgets?: AdmissionBudgets | undefined;
}

/** Questions in a time; 0: no such limit. */
export interface AdmissionRates {
  readonly userPerSecond: number;
  /** Of those, so many at once. */
  readonly userBurst: number;
  readonly userPerMinute: number;
  /** By role, what its users may ask a minute instead; the highest of a user's roles counts. */
  readonly rolesPerMinute: ReadonlyMap<string, number>;
  readonly channelPerMinute: number;
  readonly guildPerMinute: number;
}

/** LLM tokens a day or month, UTC; 0: no such budget. */
export interface AdmissionBudgets {
  readonly userPerDay: number;
  readonly userPerMonth: number;
  /** By role, what its users may spend a day instead; the highest of a user's roles counts. */
  readonly rolesPerDay: ReadonlyMap<string, number>;
  readonly channelPerDay: number;
  readonly channelPerMonth: number;
  readonly guildPerDay: number;
  readonly guildPerMonth: number;
}
