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

/** Between two notes in one channel, in intervals: the rest of what Discord takes is the answers'. */
const noteIntervals = { post: 2, edit: 3 };

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
  /** When the next note may be written. */
  readonly #noteAtMs = new Map<ChannelId, number>();

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
    remember(this.#nextAtMs, channel, atMs + this.#minIntervalMs);
    return atMs - nowMs;
  }

  /**
   * Takes the next turn for a note: a word in the place of an answer, which may be left out. In a busy
   * channel it is, so that many answers that wait do not keep those that stream waiting.
   * @returns milliseconds to wait for the turn; undefined when there is none to spare
   */
  reserveNote(channel: ChannelId, call: 'post' | 'edit'): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < (this.#noteAtMs.get(channel) ?? nowMs)) return undefined;
    const ahead = (this.#nextAtMs.get(channel) ?? nowMs) - nowMs;
    if (call === 'edit' && ahead > this.#minIntervalMs) return undefined;
    remember(this.#noteAtMs, channel, nowMs + noteIntervals[call] * this.#minIntervalMs);
    // A post is no edit: the first text that follows it need not wait.
    return call === 'post' ? 0 : this.reserve(channel);
  }

  /** Learns from the response to an edit. */
  learn(channel: ChannelId, limit: RateLimitState): void {
    const spacingMs = limit.resetAfterMs / Math.max(1, limit.remaining);
    const atMs = this.#clock.monotonicMs() + Math.max(this.#minIntervalMs, spacingMs);
    if (atMs > (this.#nextAtMs.get(channel) ?? 0)) remember(this.#nextAtMs, channel, atMs);
  }
}

function remember(times: Map<ChannelId, number>, channel: ChannelId, atMs: number): void {
  times.delete(channel);
  times.set(channel, atMs);
  const stalest = times.keys().next();
  if (times.size > maxChannels && !stalest.done) times.delete(stalest.value);
}
