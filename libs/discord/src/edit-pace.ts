import type { Clock } from '@starling/clock';
import type { ChannelId } from '@starling/contracts';

/** What a response said about its rate limit (discord.com/developers/docs/topics/rate-limits). */
export interface RateLimitState {
  /** Calls left in this window. */
  readonly remaining: number;
  /** Until the window is full again. */
  readonly resetAfterMs: number;
}

/** Channels remembered at most; one whose pause is over is forgotten first. */
const maxChannels = 10_000;

/**
 * How often messages of a channel may be edited: never faster than `minIntervalMs` (features A9), and
 * slower as the route's own window empties, so that the calls which are left last until it fills
 * again and a final text never has to wait behind a 429. All answers in a channel share its pace.
 */
export class EditPace {
  readonly #clock: Clock;
  readonly #minIntervalMs: number;
  /** When the next edit may start, monotonic milliseconds. */
  readonly #nextAtMs = new Map<ChannelId, number>();

  constructor(options: { readonly clock: Clock; readonly minIntervalMs: number }) {
    this.#clock = options.clock;
    this.#minIntervalMs = options.minIntervalMs;
  }

  /**
   * Takes the next turn of the channel.
   * @returns milliseconds to wait for it; turns are given out in the order they are asked for
   */
  reserve(channel: ChannelId): number {
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.max(nowMs, this.#nextAtMs.get(channel) ?? nowMs);
    this.#set(channel, atMs + this.#minIntervalMs);
    return atMs - nowMs;
  }

  /** Learns from the response to an edit. */
  learn(channel: ChannelId, limit: RateLimitState): void {
    const spacingMs = limit.resetAfterMs / Math.max(1, limit.remaining);
    const atMs = this.#clock.monotonicMs() + Math.max(this.#minIntervalMs, spacingMs);
    if (atMs > (this.#nextAtMs.get(channel) ?? 0)) this.#set(channel, atMs);
  }

  #set(channel: ChannelId, atMs: number): void {
    this.#nextAtMs.delete(channel);
    this.#nextAtMs.set(channel, atMs);
    if (this.#nextAtMs.size > maxChannels) {
      const stalest = this.#nextAtMs.keys().next();
      if (!stalest.done) this.#nextAtMs.delete(stalest.value);
    }
  }
}
