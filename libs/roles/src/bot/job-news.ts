import type { QueuePlace } from '@starling/contracts';

/** A place in line is told every two seconds; after twice that the job may have begun. */
const placeValidMs = 4_500;

/** What was last heard of a job, and when. Times are monotonic milliseconds. */
export class JobNews {
  #heardAtMs: number;
  #inLine: { readonly place: QueuePlace; readonly atMs: number } | undefined;

  constructor(nowMs: number) {
    this.#heardAtMs = nowMs;
  }

  heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
  }

  /** It waits there. */
  waits(place: QueuePlace, nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#inLine = { place, atMs: nowMs };
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#heardAtMs;
  }

  /** Where it waits; undefined when it may do so no more. */
  place(nowMs: number): QueuePlace | undefined {
    const { atMs, place } = this.#inLine ?? {};
    return atMs !== undefined && nowMs - atMs <= placeValidMs ? place : undefined;
  }
}
