/**
 * Discord's two layers of rate limits (docs: Rate Limits): one global limit a bot, and a bucket a
 * method, route and top-level resource. Both count at arrival: at Discord's side the global one is a
 * window of a second over *received* requests, so a client that spaces by its own send times can be
 * refused (discord-api-docs#5144).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@starling/clock';
import type { Knobs } from '../../core/knobs.ts';
import { SlidingWindow, type WindowLimit } from './sliding-window.ts';

/** The knobs that are limits. All are knobs because Discord publishes almost none of the numbers. */
export type RateLimitKnobs = Pick<
  Knobs,
  'globalPerSecond' | 'messagesPerChannel' | 'editsPerChannel' | 'deletesPerChannel' | 'otherRoutes'
>;

/** The families of routes that have a limit of their own, each named by its knob. */
export type LimitFamily = Exclude<keyof RateLimitKnobs, 'globalPerSecond'>;

/** Where a request counts. */
export interface LimitedRequest {
  readonly method: string;
  /** The route's template, for example `/channels/:channelId/messages`. */
  readonly template: string;
  readonly family: LimitFamily;
  /** The top-level resource: channel, guild, or webhook with its token. */
  readonly majorId: string;
  /** Interaction and webhook-token routes are not bound to the global limit. */
  readonly exemptFromGlobal: boolean;
}

/** A decision with the headers that tell the client. */
export type RateLimitDecision =
  | { readonly kind: 'admitted'; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: 'limited';
      readonly scope: 'user' | 'global';
      readonly retryAfterMs: number;
      readonly headers: Readonly<Record<string, string>>;
    };

/**
 * Buckets remembered. The least recently used one goes first; it is empty, thus equal to a new one,
 * unless this many buckets were used within one window.
 */
const maxBuckets = 50_000;

const seconds = (ms: number) => (Math.ceil(ms) / 1000).toFixed(3);

/** The opaque hash by which a client tells buckets apart; the same for all resources of a route. */
function bucketHash(request: LimitedRequest): string {
  const name = request.family === 'otherRoutes' ? request.template : request.family;
  return createHash('sha256').update(`${request.method} ${name}`).digest('hex').slice(0, 32);
}

export class RateLimits {
  readonly #clock: Clock;
  readonly #knobs: () => RateLimitKnobs;
  readonly #buckets = new Map<string, { window: SlidingWindow; limit: WindowLimit }>();
  #global: { window: SlidingWindow; perSecond: number };

  /** @param knobs read at each request, so that a test or an operator can turn them at run time */
  constructor(clock: Clock, knobs: () => RateLimitKnobs) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#global = this.#newGlobal(knobs().globalPerSecond);
  }

  /** How many buckets are remembered. */
  get bucketCount(): number {
    return this.#buckets.size;
  }

  /** Counts one request, the global limit first: what the edge refuses never reaches a bucket. */
  admit(request: LimitedRequest): RateLimitDecision {
    const nowMs = this.#clock.monotonicMs();
    const knobs = this.#knobs();
    if (!request.exemptFromGlobal) {
      if (this.#global.perSecond !== knobs.globalPerSecond) {
        this.#global = this.#newGlobal(knobs.globalPerSecond);
      }
      const global = this.#global.window.admit(nowMs);
      if (!global.admitted) return limitedGlobally(global.resetAfterMs);
    }
    const limit = knobs[request.family];
    const hash = bucketHash(request);
    const decision = this.#bucket(`${hash}:${request.majorId}`, limit).admit(nowMs);
    const headers = {
      'x-ratelimit-limit': String(limit.limit),
      'x-ratelimit-remaining': String(decision.remaining),
      'x-ratelimit-reset': seconds(this.#clock.nowMs() + decision.resetAfterMs),
      'x-ratelimit-reset-after': seconds(decision.resetAfterMs),
      'x-ratelimit-bucket': hash,
    };
    if (decision.admitted) return { kind: 'admitted', headers };
    return {
      kind: 'limited',
      scope: 'user',
      retryAfterMs: decision.resetAfterMs,
      headers: { ...headers, ...retryHeaders(decision.resetAfterMs, 'user') },
    };
  }

  #newGlobal(perSecond: number) {
    return { window: new SlidingWindow({ limit: perSecond, perMs: 1000 }), perSecond };
  }

  #bucket(key: string, limit: WindowLimit): SlidingWindow {
    const known = this.#buckets.get(key);
    const same = known?.limit.limit === limit.limit && known.limit.perMs === limit.perMs;
    const bucket = known && same ? known : { window: new SlidingWindow(limit), limit };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxBuckets) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket.window;
  }
}

/**
 * The headers that every 429 has. `Retry-After` is whole seconds rounded up (RFC 9110 §10.2.3); the
 * body's `retry_after` has the exact time.
 */
export function retryHeaders(
  retryAfterMs: number,
  scope: 'user' | 'global' | 'shared',
): Record<string, string> {
  return {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
    'x-ratelimit-scope': scope,
    ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
  };
}

/** A global refusal has no bucket headers (docs: Rate Limits, "Global Rate Limit Response"). */
function limitedGlobally(retryAfterMs: number): RateLimitDecision {
  return {
    kind: 'limited',
    scope: 'global',
    retryAfterMs,
    headers: retryHeaders(retryAfterMs, 'global'),
  };
}
