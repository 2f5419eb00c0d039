/** Which new jobs may not stand in line, and what they are told instead: how many do, and when to come back. */
import type { ErrorCode, QueuePlace } from '@starling/contracts';
import type { QueuedJob, QueueRefusal } from '../fair/queued-job.ts';
import type { FadingRate } from './fading-rate.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** A job that is not queued. */
export interface Refused {
  readonly code: Extract<ErrorCode, 'user_busy' | 'too_busy'>;
  /** Where it would have stood. */
  readonly place: QueuePlace;
  /** After this long there is likely to be room, milliseconds; absent while too little is known to tell. */
  readonly retryMs?: number;
}

const codes = {
  user_bound: 'user_busy',
  guild_bound: 'too_busy',
  lane_bound: 'too_busy',
} as const satisfies Record<QueueRefusal, ErrorCode>;

/** Nobody is sent away for less, nor for longer: what is known now says little about ten minutes on. */
const retryRangeMs = { least: 1_000, most: 600_000 } as const;

/** See the module's header. */
export class LineBounds {
  readonly #room: WaitingRoom;
  readonly #starts: FadingRate;

  constructor(parts: { readonly room: WaitingRoom; readonly starts: FadingRate }) {
    this.#room = parts.room;
    this.#starts = parts.starts;
  }

  /** Why a new job is not queued: a bound, or a wait beyond its deadline. */
  judge(job: QueuedJob, nowMs: number): Refused | undefined {
    const bound = this.#room.refusal(job);
    if (bound) {
      // There is room again when the first of those that fill it starts.
      const first = this.#room.firstWithin(bound, job);
      const ahead = first === undefined ? 0 : (this.#room.position(first) ?? 0);
      const freeMs = this.#starts.waitMs(ahead, nowMs);
      return refused(codes[bound], this.#placeOf(job, nowMs), freeMs);
    }
    // Walking the lane for its place is worth it only when the whole queue is too much.
    const leftMs = job.deadlineAtMs - nowMs;
    if ((this.#starts.waitMs(this.#room.size, nowMs) ?? 0) <= leftMs) return undefined;
    const place = this.#placeOf(job, nowMs);
    const { waitMs = 0 } = place;
    return waitMs > leftMs ? refused('too_busy', place, waitMs - leftMs) : undefined;
  }

  #placeOf(job: QueuedJob, nowMs: number): QueuePlace {
    this.#room.add(job, nowMs);
    const position = this.#room.position(job.jobId) ?? 0;
    this.#room.remove(job.jobId);
    const waitMs = this.#starts.waitMs(position, nowMs);
    return waitMs === undefined ? { position } : { position, waitMs };
  }
}

function refused(code: Refused['code'], place: QueuePlace, afterMs: number | undefined): Refused {
  if (afterMs === undefined) return { code, place };
  const { least, most } = retryRangeMs;
  return { code, place, retryMs: Math.min(most, Math.max(least, Math.ceil(afterMs))) };
}
