import type { BucketLimit } from './bucket-limit.ts';
import type { LastSeen } from './local-share.ts';

/** Windows looked at every second; of further ones a share is a like part. */
const maxWatched = 64;
/** A window that nobody asked for in so many of its lengths is not looked at any more. */
const idleWindows = 2;

interface Watched {
  readonly key: string;
  readonly limit: Extract<BucketLimit, { kind: 'window' }>;
}

/** Over so long it is counted how fast a level grows. */
const paceMs = 1_000;

interface Seen {
  level: number;
  atMs: number;
  /** How much it grew since then, and in the time before. */
  sinceMs: number;
  grown: number;
  before: number;
}

/** What the fleet's use of the windows was when it was seen last. */
export class SeenLevels {
  readonly #watched = new Map<string, Watched & { readonly askedAtMs: number }>();
  readonly #levels = new Map<string, Seen>();
  #before: ReadonlyMap<string, LastSeen> = new Map();

  /** It was asked for now. */
  watch(
    { key, limit }: { readonly key: string; readonly limit: BucketLimit },
    nowMs: number,
  ): void {
    if (limit.kind !== 'window') return;
    this.#watched.delete(key);
    this.#watched.set(key, { key, limit, askedAtMs: nowMs });
    for (const stalest of this.#watched.keys()) {
      if (this.#watched.size <= maxWatched) break;
      this.#forget(stalest);
    }
  }

  watched(nowMs: number): readonly Watched[] {
    for (const { askedAtMs, key, limit } of this.#watched.values()) {
      if (nowMs - askedAtMs > idleWindows * limit.windowMs) this.#forget(key);
    }
    return [...this.#watched.values()].map(({ key, limit }) => ({ key, limit }));
  }

  saw(key: string, level: number, nowMs: number): void {
    if (!this.#watched.has(key)) return;
    const seen = this.#levels.get(key) ?? {
      level,
      atMs: nowMs,
      sinceMs: nowMs,
      grown: 0,
      before: 0,
    };
    if (nowMs - seen.sinceMs >= paceMs) {
      seen.before = seen.grown;
      seen.grown = 0;
      seen.sinceMs = nowMs;
    }
    seen.grown += Math.max(0, level - seen.level);
    seen.level = level;
    seen.atMs = nowMs;
    this.#levels.set(key, seen);
  }

  /** Keeps what was seen until now, for {@link before}, and what may have been used since at that pace. */
  freeze(own: (at: Watched) => number, nowMs: number): void {
    this.#before = new Map(
      [...this.#watched.values()].flatMap((at) => {
        const seen = this.#levels.get(at.key);
        if (!seen) return [];
        const unseen = (Math.max(seen.grown, seen.before) * (nowMs - seen.atMs)) / paceMs;
        return [[at.key, { level: seen.level + Math.ceil(unseen), own: own(at) }] as const];
      }),
    );
  }

  /** What was seen before the trouble; undefined for what was not watched. */
  before(key: string): LastSeen | undefined {
    return this.#before.get(key);
  }

  #forget(key: string): void {
    this.#watched.delete(key);
    this.#levels.delete(key);
  }
}
