/**
 * Who may begin sessions now. Discord lets one shard of each remainder modulo `max_concurrency`
 * IDENTIFY every five seconds (discord.com/developers/docs/events/gateway#rate-limiting). Within a
 * cluster discord.js keeps that; between clusters nobody does (facts §0.5), so they start one after
 * the other, and a lane rests before the next cluster uses it.
 */
import type { Clock } from '@starling/clock';

/** Discord's five seconds, and a quarter for the way there. */
const laneRestMs = 5_250;

export class IdentifyLanes {
  readonly #clock: Clock;
  readonly #maxConcurrency: number;
  /** When each lane was last used, monotonic milliseconds. */
  readonly #usedAtMs = new Map<number, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly clock: Clock; readonly maxConcurrency: number }) {
    this.#clock = options.clock;
    this.#maxConcurrency = options.maxConcurrency;
  }

  /**
   * Runs a cluster's start when its turn has come: nobody else starts, and the lanes of its shards
   * have rested. Rejects with the signal's reason when that aborts before.
   */
  start<T>(shards: readonly number[], start: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = this.#last.then(async () => {
      signal.throwIfAborted();
      const restMs = this.#restMs(shards);
      if (restMs > 0) await this.#clock.sleep(restMs, { signal });
      try {
        return await start();
      } finally {
        // When exactly each shard identified only the child knows; its end is the safe side.
        for (const shard of shards)
          this.#usedAtMs.set(this.#lane(shard), this.#clock.monotonicMs());
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  #restMs(shards: readonly number[]): number {
    const nowMs = this.#clock.monotonicMs();
    const waits = shards.map((shard) => {
      const usedAtMs = this.#usedAtMs.get(this.#lane(shard));
      return usedAtMs === undefined ? 0 : usedAtMs + laneRestMs - nowMs;
    });
    return Math.max(0, ...waits);
  }

  #lane(shard: number): number {
    return shard % this.#maxConcurrency;
  }
}
