import type { CallKey, JobId, Lane } from '@starling/contracts';

/** What a balancer knows of a waiting job: its header, never its body. */
export interface QueuedJob {
  readonly jobId: JobId;
  readonly lane: Lane;
  /** Who shares the fleet with whom: the guild, or the user in a direct message. */
  readonly guildKey: string;
  /** Who shares within the guild; {@link everyUser} when nobody is told apart there. */
  readonly userKey: string;
  /** Estimated LLM tokens, prompt and completion together; corrected when the job ends. */
  readonly tokenEstimate: number;
  /** The model that must serve it; absent means that any worker will do. */
  readonly model?: string;
  /** Jobs of one conversation prefer one worker, whose provider has its beginning in a cache. */
  readonly conversationKey?: string;
  /** Jobs of one key may share a call of the provider; absent of a job that wants its own. */
  readonly callKey?: CallKey;
  readonly acceptedAtMs: number;
  readonly deadlineAtMs: number;
}

/**
 * The one user of a guild whose users are not told apart: first come, first served, under the guild's
 * bound alone. A flow for each job would be the same order, and three counters a job to keep.
 */
export const everyUser = '*';

/** Why a job was not queued. */
export type QueueRefusal = 'user_bound' | 'guild_bound' | 'lane_bound';

/** Bounds and shares of a {@link FairQueue}. */
export interface FairQueueLimits {
  /** Waiting jobs of one user (features B6: 3 at admission; replays and retries may exceed that). */
  readonly perUser: number;
  readonly perGuild: number;
  readonly perLane: number;
  /** Of a guild that waits in a lane and was not served for this long one job moves a lane up; the top lane has no entry. */
  readonly agingMs: Readonly<Partial<Record<Lane, number>>>;
  /** Counters of flows that are kept, so that going idle does not clear a debt. */
  readonly flows: number;
  /** Tokens that a flow coming back from idle may owe at most. */
  readonly maxDebtTokens: number;
}

/** Lanes from the first served to the last. */
export const lanesInOrder: readonly Lane[] = ['dm', 'interactive', 'batch'];

export const defaultFairQueueLimits: FairQueueLimits = {
  perUser: 10,
  perGuild: 1_000,
  perLane: 20_000,
  agingMs: { interactive: 5_000, batch: 30_000 },
  // Three counters (guild, user, mark) for each of the 20 000 jobs that JOBS can hold, and some idle.
  flows: 80_000,
  // About thirty answers: an hour alone on the fleet costs seconds of waiting behind others, not an hour.
  maxDebtTokens: 30_000,
};
