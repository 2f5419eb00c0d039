/**
 * The limit that bans an IP address: 10 000 answers of 401, 403 or 429 in ten minutes, 429s of scope
 * `shared` excepted (docs: Rate Limits, "Invalid Request Limit"). The ban is Cloudflare's: it comes
 * as HTML, which a client that expects JSON must survive.
 */
import type { Clock } from '@starling/clock';
import { SlidingWindow, type WindowLimit } from './sliding-window.ts';

export class InvalidRequests {
  readonly #clock: Clock;
  readonly #knob: () => WindowLimit;
  #limit: WindowLimit;
  #window: SlidingWindow;
  #bannedUntilMs = Number.NEGATIVE_INFINITY;

  /**
   * @param knob Discord's published numbers are 10 000 in 600 000 ms; turning the knob lifts a ban
   * and forgets what was counted
   */
  constructor(clock: Clock, knob: () => WindowLimit) {
    this.#clock = clock;
    this.#knob = knob;
    this.#limit = knob();
    this.#window = new SlidingWindow(this.#limit);
  }

  /** Invalid requests that count at this moment. */
  get count(): number {
    return this.#window.count(this.#clock.monotonicMs());
  }

  /** Whether this answer counts as invalid. */
  isInvalid(answer: { readonly status: number; readonly scope?: string }): boolean {
    if (answer.status === 429) return answer.scope !== 'shared';
    return answer.status === 401 || answer.status === 403;
  }

  /** Counts one invalid answer; the one that reaches the limit starts a ban of one window. */
  add(): void {
    this.#follow();
    const nowMs = this.#clock.monotonicMs();
    if (this.#window.admit(nowMs).remaining > 0) return;
    this.#bannedUntilMs = nowMs + this.#limit.perMs;
    this.#window = new SlidingWindow(this.#limit);
  }

  /** Milliseconds that the ban still lasts; 0 when there is none. */
  banRemainingMs(): number {
    this.#follow();
    return Math.max(0, this.#bannedUntilMs - this.#clock.monotonicMs());
  }

  #follow(): void {
    const limit = this.#knob();
    if (limit.limit === this.#limit.limit && limit.perMs === this.#limit.perMs) return;
    this.#limit = limit;
    this.#window = new SlidingWindow(limit);
    this.#bannedUntilMs = Number.NEGATIVE_INFINITY;
  }
}
