import { readFileSync } from 'node:fs';
import { loadScript, type RedisConnection } from '@starling/redis';

const lua = readFileSync(new URL('./announce.lua', import.meta.url), 'utf8');

/** Three announcements missed. */
const silentAfterMs = 3_000;

/** How many processes share the buckets; the most in the last minute or two, for safety's sake. */
export class LiveProcesses {
  readonly #announce: () => Promise<number>;
  readonly #monotonicMs: () => number;
  #most = 1;
  #mostBefore = 1;
  #sinceMs: number;

  constructor(parts: {
    readonly redis: RedisConnection;
    /** Those of one group share their limits. */
    readonly group: string;
    readonly processId: string;
    readonly monotonicMs: () => number;
  }) {
    const { group, monotonicMs, processId, redis } = parts;
    const run = loadScript(redis, { name: 'announce', lua, keys: 1 });
    const keys = [`starling:buckets:alive:${group}`];
    this.#announce = async () => Number(await run(keys, [processId, silentAfterMs]));
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
  }

  get count(): number {
    return Math.max(this.#most, this.#mostBefore);
  }

  /** Says that we live, and hears of the others. */
  async announce(): Promise<void> {
    const live = Math.max(1, await this.#announce());
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#sinceMs > rememberedMs) {
      this.#mostBefore = this.#most;
      this.#most = live;
      this.#sinceMs = nowMs;
    }
    this.#most = Math.max(this.#most, live);
  }
}

const rememberedMs = 60_000;
