/**
 * Which jobs of a worker share a call of the provider (features A8). A call is led by one job, which
 * holds its slot; the others follow and hold none, so that what counts as in flight is calls and never
 * listeners. When its leader leaves, the follower that waited longest leads, and the slot stays where it
 * is. An answer that is whole is kept for a while, for those who ask a moment later.
 */
import type { CallKey, JobId } from '@starling/contracts';
import type { WorkerEffect } from './worker-events.ts';

type Forgotten = Extract<WorkerEffect, { kind: 'forget_call' }>;

/** Times (milliseconds) and bounds of shared calls. */
export interface CallLimits {
  /** For so long after its end an answer serves further jobs. */
  readonly keptMs: number;
  /** Answers kept at once, and their characters together; the oldest goes first. */
  readonly kept: number;
  readonly keptCharacters: number;
  /** Followers of one call; a further job gets a call of its own. */
  readonly followersPerCall: number;
  /** Followers of all calls: they stand in every load report. */
  readonly followers: number;
}

export const defaultCallLimits: CallLimits = {
  keptMs: 5_000,
  kept: 500,
  keptCharacters: 2_000_000,
  followersPerCall: 200,
  followers: 500,
};

interface Call {
  state:
    | { readonly kind: 'open'; readonly leader: JobId }
    | { readonly kind: 'kept'; readonly untilMs: number; readonly characters: number };
  /** Jobs that would lead it next, in the order in which they came. */
  readonly heirs: Set<JobId>;
  /** How many ever followed it. */
  followers: number;
}

/** See the module's header. */
export class CallBook {
  readonly #limits: CallLimits;
  readonly #calls = new Map<CallKey, Call>();
  readonly #followers = new Set<JobId>();
  /** Kept calls, the one that ended first in front. */
  readonly #kept = new Set<CallKey>();
  #keptCharacters = 0;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** Jobs that follow and hold no slot. */
  get followers(): ReadonlySet<JobId> {
    return this.#followers;
  }

  /** Of these jobs, those that do not follow another one's call. */
  callers(jobs: readonly JobId[]): readonly JobId[] {
    return this.#followers.size === 0 ? jobs : jobs.filter((jobId) => !this.#followers.has(jobId));
  }

  get sizes() {
    const [calls, kept, followers] = [this.#calls.size, this.#kept.size, this.#followers.size];
    return { calls, keptCalls: kept, followers };
  }

  /** A job comes that may share. @returns whether it follows a call that is here */
  follow(callKey: CallKey, jobId: JobId): boolean {
    const call = this.#calls.get(callKey);
    if (!call || call.followers >= this.#limits.followersPerCall) return false;
    if (this.#followers.size >= this.#limits.followers) return false;
    call.followers += 1;
    call.heirs.add(jobId);
    this.#followers.add(jobId);
    return true;
  }

  /** A job with a slot begins a call. @returns false when there is one already, which is not its own */
  lead(callKey: CallKey, jobId: JobId): boolean {
    if (this.#calls.has(callKey)) return false;
    const state = { kind: 'open', leader: jobId } as const;
    this.#calls.set(callKey, { state, heirs: new Set(), followers: 0 });
    return true;
  }

  /** The job's own run is over, whatever becomes of the call: it inherits nothing. */
  finished(callKey: CallKey, jobId: JobId): void {
    this.#calls.get(callKey)?.heirs.delete(jobId);
  }

  /** The job is gone. A call whose leader it was goes on under an heir, or is forgotten. */
  left(callKey: CallKey, jobId: JobId): void {
    this.#followers.delete(jobId);
    const call = this.#calls.get(callKey);
    call?.heirs.delete(jobId);
    if (call?.state.kind !== 'open' || call.state.leader !== jobId) return;
    const [heir] = call.heirs;
    if (heir === undefined) {
      this.#calls.delete(callKey);
      return;
    }
    call.heirs.delete(heir);
    this.#followers.delete(heir);
    call.state = { kind: 'open', leader: heir };
  }

  /**
   * The provider's stream ended.
   * @param characters of an answer that is whole, which is kept; absent when there is none
   * @returns calls whose answers are kept no longer
   */
  ended(callKey: CallKey, characters: number | undefined, nowMs: number): readonly Forgotten[] {
    const call = this.#calls.get(callKey);
    if (call?.state.kind !== 'open') return [];
    if (characters === undefined) {
      this.#calls.delete(callKey);
      return [];
    }
    call.state = { kind: 'kept', untilMs: nowMs + this.#limits.keptMs, characters };
    this.#kept.add(callKey);
    this.#keptCharacters += characters;
    return this.expire(nowMs);
  }

  /** Forgets what was kept long enough, or is too much. @returns the forgotten calls */
  expire(nowMs: number): readonly Forgotten[] {
    const gone: Forgotten[] = [];
    for (const callKey of this.#kept) {
      const state = this.#calls.get(callKey)?.state;
      if (state?.kind !== 'kept') continue;
      const tooMuch =
        this.#kept.size > this.#limits.kept || this.#keptCharacters > this.#limits.keptCharacters;
      if (!tooMuch && nowMs < state.untilMs) break;
      this.#kept.delete(callKey);
      this.#keptCharacters -= state.characters;
      this.#calls.delete(callKey);
      gone.push({ kind: 'forget_call', callKey });
    }
    return gone;
  }
}
