import type { Clock } from '@starling/clock';
import type { KnobStore } from '../core/knobs.ts';

/** What an IDENTIFY gets. */
export type IdentifyVerdict =
  | { readonly kind: 'granted' }
  /** `sinceMs` after the last one of its lane. */
  | { readonly kind: 'too_early'; readonly lane: number; readonly sinceMs: number }
  /** The day's session starts were used up already: Discord resets the token. */
  | { readonly kind: 'exhausted' };

/** The identify lanes and the day's session starts. */
export interface IdentifyLanes {
  claim(shardId: number): IdentifyVerdict;
  status(): { readonly total: number; readonly remaining: number; readonly resetAfterMs: number };
  /** A new day: all starts are there again. */
  refill(): void;
}

/**
 * One IDENTIFY a lane and 5 s, where the lane is `shard_id % max_concurrency`, and so many IDENTIFYs
 * in 24 h, counted from the first one
 * (discord.com/developers/docs/events/gateway#rate-limiting). One that comes too early is not counted
 * against the day and does not push the lane back. At most `maxConcurrency` lanes are remembered.
 */
export function createIdentifyLanes(parts: {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly knobs: KnobStore;
  readonly maxConcurrency: number;
  readonly total: number;
}): IdentifyLanes {
  const lastByLane = new Map<number, number>();
  let used = 0;
  let firstMs = 0;

  const untilReset = (): number => {
    const left = firstMs + parts.knobs.current.sessionStartResetMs - parts.clock.monotonicMs();
    if (used > 0 && left <= 0) used = 0;
    return used === 0 ? parts.knobs.current.sessionStartResetMs : left;
  };

  return {
    claim(shardId) {
      untilReset();
      if (used >= parts.total) return { kind: 'exhausted' };
      const nowMs = parts.clock.monotonicMs();
      const lane = shardId % parts.maxConcurrency;
      const sinceMs = nowMs - (lastByLane.get(lane) ?? Number.NEGATIVE_INFINITY);
      const { identifyIntervalMs, identifyToleranceMs } = parts.knobs.current;
      if (sinceMs < identifyIntervalMs - identifyToleranceMs) {
        return { kind: 'too_early', lane, sinceMs };
      }
      lastByLane.set(lane, nowMs);
      if (used === 0) firstMs = nowMs;
      used += 1;
      return { kind: 'granted' };
    },
    status() {
      const resetAfterMs = Math.max(0, Math.round(untilReset()));
      return { total: parts.total, remaining: parts.total - used, resetAfterMs };
    },
    refill() {
      used = 0;
    },
  };
}
