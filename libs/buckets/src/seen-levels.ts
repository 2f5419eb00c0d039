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

/** What the fleet's use of the windows was when it was seen last. */
export class SeenLevels {
  readonly #watched = new Map<string, Watched & { readonly askedAtMs: number }>();
  readonly #levels = new Map<string, number>();
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

  saw(key: string, level: number): void {
    if (this.#watched.has(key)) this.#levels.set(key, level);
  }

  /** Keeps what was seen until now, for {@link before}. */
  freeze(own: (at: Watched) => number): void {
    this.#before = new Map(
      [...this.#watched.values()].flatMap((at) => {
        const level = this.#levels.get(at.key);
        return level === undefined ? [] : [[at.key, { level, own: own(at) }] as const];
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
