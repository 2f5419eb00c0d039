/**
 * What was asked in this cluster's guilds a moment ago, and with which prompt. All questions of a guild
 * come through one cluster, so that whoever asks the same in the same channel can be given the very
 * prompt that the first one got, although the conversation has gone on: they share its call (features
 * A8). Whoever asks again what they have just asked wants another answer, and gets a call of their own.
 */
import type { Context } from '@starling/chat';
import type { Clock } from '@starling/clock';
import type { CallKey, ChannelId, JobId, MessageId, UserId } from '@starling/contracts';

/** A question as far as others may ask the same. */
export interface AskedHere {
  readonly jobId: JobId;
  readonly userId: UserId;
  readonly channelId: ChannelId;
  /** The message that it replies to. */
  readonly repliesTo: MessageId | undefined;
  readonly text: string;
}

/** The prompt to ask with; without a key it is not shared. */
export interface PromptToAsk {
  readonly context: Context;
  readonly callKey?: CallKey;
}

interface Recent {
  readonly context: Context;
  readonly askers: Set<UserId>;
  /** Those whose answer has not ended. */
  readonly open: Set<JobId>;
  readonly places: Set<string>;
  /** Until when its answer can be had; unknown while there is none. */
  untilMs: number;
}

/** Questions remembered, some 10 kB each; the one that was asked first is forgotten. */
const maxRecent = 1_000;

/** See the module's header. */
export class RecentQuestions {
  readonly #parts: {
    readonly clock: Clock;
    readonly keptMs: number;
    readonly maxAgeMs: number;
  };
  readonly #recent = new Map<CallKey, Recent>();
  readonly #keyOfPlace = new Map<string, CallKey>();
  readonly #keyOfJob = new Map<JobId, CallKey>();

  /**
   * @param parts.keptMs for so long after its end an answer is still shared
   * @param parts.maxAgeMs no question is open for longer
   */
  constructor(parts: {
    readonly clock: Clock;
    readonly keptMs: number;
    readonly maxAgeMs: number;
  }) {
    this.#parts = parts;
  }

  /** The prompt for a question that is anybody's: the one of who asked it first, else `own`. */
  prompt(asked: AskedHere, own: Context, keyOf: (context: Context) => CallKey): PromptToAsk {
    const nowMs = this.#parts.clock.monotonicMs();
    const place = JSON.stringify([asked.channelId, asked.repliesTo, asked.text]);
    const known = this.#keyOfPlace.get(place);
    const callKey = known !== undefined && this.#find(known, nowMs) ? known : keyOf(own);
    const recent = this.#find(callKey, nowMs) ?? this.#add(callKey, own, nowMs);
    if (recent.askers.has(asked.userId)) return { context: own };
    recent.askers.add(asked.userId);
    recent.open.add(asked.jobId);
    recent.places.add(place);
    this.#keyOfPlace.set(place, callKey);
    this.#keyOfJob.set(asked.jobId, callKey);
    return { context: recent.context, callKey };
  }

  /** A question ended. Without an answer there is nothing to share; the first answer starts the clock. */
  ended(jobId: JobId, answered: boolean): void {
    const callKey = this.#keyOfJob.get(jobId);
    const recent = callKey === undefined ? undefined : this.#recent.get(callKey);
    this.#keyOfJob.delete(jobId);
    if (callKey === undefined || !recent?.open.delete(jobId)) return;
    const { clock, keptMs } = this.#parts;
    if (answered) recent.untilMs = Math.min(recent.untilMs, clock.monotonicMs() + keptMs);
    else if (recent.open.size === 0) this.#forget(callKey);
  }

  #find(callKey: CallKey, nowMs: number): Recent | undefined {
    const recent = this.#recent.get(callKey);
    if (recent && nowMs < recent.untilMs) return recent;
    if (recent) this.#forget(callKey);
    return undefined;
  }

  #add(callKey: CallKey, context: Context, nowMs: number): Recent {
    for (const [oldest, { untilMs }] of this.#recent) {
      if (this.#recent.size < maxRecent && nowMs < untilMs) break;
      this.#forget(oldest);
    }
    const sets = { askers: new Set<UserId>(), open: new Set<JobId>(), places: new Set<string>() };
    const recent = { context, ...sets, untilMs: nowMs + this.#parts.maxAgeMs };
    this.#recent.set(callKey, recent);
    return recent;
  }

  #forget(callKey: CallKey): void {
    const recent = this.#recent.get(callKey);
    this.#recent.delete(callKey);
    for (const place of recent?.places ?? []) this.#keyOfPlace.delete(place);
    for (const jobId of recent?.open ?? []) this.#keyOfJob.delete(jobId);
  }
}
