/**
 * Buckets in Redis that outlive it (features D4). While Redis is away a process goes by its own share of
 * each limit, which a memory of its own use measures; money is not spent. What was used meanwhile each
 * process tells Redis when it is back. Until all have, and when it comes back empty, Redis does not know what
 * was used: for one window both bind, the shared bucket and the share.
 */
import type { Clock } from '@starling/clock';
import type { RedisConnection } from '@starling/redis';
import { log } from '@starling/telemetry';
import type { BucketLimit } from './bucket-limit.ts';
import { BucketStore } from './bucket-store.ts';
import type { Asked, Buckets, Reservation, Reserve } from './buckets.ts';
import { LiveProcesses } from './live-processes.ts';
import { shareOf } from './local-share.ts';
import { createRedisBuckets } from './redis-buckets.ts';
import { SeenLevels } from './seen-levels.ts';
import { UnheardUse } from './unheard-use.ts';

/** Between two announcements, which also find out whether Redis is there again. */
const announceEveryMs = 1_000;
/** A share has no exact time: another look is worth it when Redis may be back. */
const shareRetryMs = announceEveryMs;
/** The windows that matter are a minute long. */
const defaultGuardMs = 60_000;

const logger = log('buckets');

/** Ends with its timers; the connection is not its own. */
export interface SharedBuckets extends Buckets, Disposable {
  /** `degraded`: Redis is away. `guarded`: it is there, and does not know all that was used. */
  readonly state: 'shared' | 'degraded' | 'guarded';
}

export interface SharedBucketsParts {
  readonly redis: RedisConnection;
  readonly clock: Clock;
  /** The connection's command timeout. */
  readonly giveUpMs: number;
  /** Names those that share the limits; each counts for one when Redis is away. */
  readonly group: string;
  readonly processId: string;
  /** For how long after Redis was away the share binds as well: the longest window. */
  readonly guardMs?: number;
}

/** @throws {RedisError} when Redis is away from the start: nobody knows then how many share it */
export async function createSharedBuckets(parts: SharedBucketsParts): Promise<SharedBuckets> {
  const buckets = new FallingBackBuckets(parts);
  await buckets.begin();
  return buckets;
}

class FallingBackBuckets implements SharedBuckets {
  readonly #clock: Clock;
  readonly #shared: Buckets;
  readonly #own: BucketStore;
  readonly #processes: LiveProcesses;
  readonly #seen = new SeenLevels();
  readonly #unheard = new UnheardUse();
  readonly #guardMs: number;
  #born: string | undefined;
  /** When Redis' word was last enough, monotonic. */
  #troubleAtMs: number | undefined;
  /** When it went away last. */
  #awayAtMs = 0;
  /** Since when it is there again; undefined while it is away. */
  #backAtMs: number | undefined;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(parts: SharedBucketsParts) {
    const { clock } = parts;
    const monotonicMs = () => Math.floor(clock.monotonicMs());
    this.#clock = clock;
    this.#own = new BucketStore(monotonicMs);
    this.#guardMs = (parts.guardMs ?? defaultGuardMs) + slackMs;
    this.#processes = new LiveProcesses({ ...parts, monotonicMs });
    this.#shared = createRedisBuckets({
      ...parts,
      onSight: ({ born, levels }) => {
        this.#notice(born);
        for (const [key, level] of levels) this.#seen.saw(key, level, monotonicMs());
      },
    });
  }

  get state(): SharedBuckets['state'] {
    if (this.#troubleAtMs === undefined) return 'shared';
    if (this.#backAtMs === undefined) return 'degraded';
    return this.#clock.monotonicMs() < this.#backAtMs + this.#guardMs ? 'guarded' : 'shared';
  }

  async begin(): Promise<void> {
    await this.#look();
    this.#announceLater();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  async reserve(call: Reserve): Promise<Reservation> {
    const { state } = this;
    if (state === 'degraded') return this.#reserveUnheard(call);
    const guarded = { ...call, asked: call.asked.filter(isGuarded) };
    // Before it is asked, so that its answer is the first look.
    for (const ask of guarded.asked) this.#seen.watch(ask, this.#clock.monotonicMs());
    if (state === 'guarded') {
      const own = this.#reserveShare(guarded);
      if (own.kind === 'refused') return own;
    }
    let shared: Reservation;
    try {
      shared = await this.#shared.reserve(call);
    } catch (error) {
      this.#away(error);
      return this.#reserveUnheard(call);
    }
    if (shared.kind === 'refused') {
      // Nothing is kept of a refused call, here either.
      this.#own.run({ kind: 'settle', id: call.id, used: guarded.asked.map(unused) });
      return shared;
    }
    if (state === 'shared' && this.state === 'guarded') {
      // This very answer told that what was used is lost.
      const own = this.#reserveShare(guarded);
      if (own.kind === 'refused') {
        await this.settle(call.id, call.asked.map(unused));
        return own;
      }
    }
    this.#remember(call);
    return shared;
  }

  async settle(...[id, used]: Parameters<Buckets['settle']>): Promise<void> {
    this.#own.run({ kind: 'settle', id, used });
    this.#unheard.settled(id, used);
    await this.#tell(() => this.#shared.settle(id, used));
  }

  async extend(...[id, held]: Parameters<Buckets['extend']>): Promise<boolean> {
    const own = this.#own.run({ kind: 'extend', id, ...held });
    const isHeldHere = own.kind === 'extended' && own.whole;
    const shared = await this.#tell(() => this.#shared.extend(id, held));
    return shared ?? isHeldHere;
  }

  async levels(of: Parameters<Buckets['levels']>[0]): Promise<readonly number[]> {
    const shared = await this.#tell(() => this.#shared.levels(of));
    return shared ?? of.map((bucket) => this.#own.level(bucket));
  }

  async lower(told: Parameters<Buckets['lower']>[0]): Promise<void> {
    // Of its own use only the block is to be kept: what remains is the fleet's.
    this.#own.run({ kind: 'lower', told: { ...told, forMs: 0 } });
    await this.#tell(() => this.#shared.lower(told));
  }

  /** What Redis does not get to know ends there by itself. */
  async #tell<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.state === 'degraded') return undefined;
    try {
      return await call();
    } catch (error) {
      this.#away(error);
      return undefined;
    }
  }

  /** By the share alone. */
  #reserveUnheard(call: Reserve): Reservation {
    const own = this.#reserveShare(call);
    if (own.kind === 'reserved' && !own.replay) this.#unheard.took(call);
    return own;
  }

  #reserveShare(call: Reserve): Reservation {
    const asked = call.asked.map((ask) => ({ ...ask, limit: this.#share(ask) }));
    const own = this.#own.reserve({ ...call, asked });
    if (own.kind === 'reserved' || own.retryAfterMs !== undefined) return own;
    const ask = call.asked.find(({ key }) => key === own.key);
    const isNever = ask !== undefined && ask.amount > mostOf(ask.limit);
    return isNever ? own : { ...own, retryAfterMs: shareRetryMs };
  }

  /** What Redis let through counts as our own use, whatever our share. */
  #remember(call: Reserve): void {
    const asked = call.asked.flatMap((ask) =>
      ask.limit.kind === 'rate' || ask.limit.kind === 'period'
        ? []
        : [{ ...ask, limit: { ...ask.limit, permits: Number.MAX_SAFE_INTEGER } }],
    );
    if (asked.length > 0) this.#own.reserve({ ...call, asked });
  }

  #share({ key, limit, ownedHere = false }: Asked): BucketLimit {
    if (ownedHere) return limit;
    const lengthMs = limit.kind === 'window' ? limit.windowMs + slackMs : this.#guardMs;
    const nowMs = this.#clock.monotonicMs();
    const isBound = this.#backAtMs === undefined || nowMs < this.#backAtMs + lengthMs;
    if (!isBound) return limit;
    const isRecent = this.#troubleAtMs !== undefined && nowMs < this.#troubleAtMs + lengthMs;
    const seen = isRecent ? this.#seen.before(key) : undefined;
    return shareOf(limit, { processes: this.#processes.count, seen });
  }

  #away(error: unknown): void {
    if (this.#troubleAtMs !== undefined && this.#backAtMs === undefined) return;
    this.#freeze();
    this.#backAtMs = undefined;
    this.#awayAtMs = this.#clock.monotonicMs();
    logger.warn('buckets.degraded', { error, processes: this.#processes.count });
  }

  /** The last that was seen of the shared buckets, and what of it was ours. */
  #freeze(): void {
    if (this.state === 'shared') {
      const nowMs = this.#clock.monotonicMs();
      this.#seen.freeze((at) => this.#own.level(at), nowMs);
      this.#troubleAtMs = nowMs;
    }
  }

  #notice(born: string): void {
    const before = this.#born;
    this.#born = born;
    if (before === undefined || before === born) return;
    const nowMs = this.#clock.monotonicMs();
    if (this.state === 'degraded') return;
    this.#freeze();
    this.#backAtMs = nowMs;
    logger.warn('buckets.emptied', { processes: this.#processes.count });
  }

  #back(): void {
    if (this.state !== 'degraded') return;
    const nowMs = this.#clock.monotonicMs();
    const awayMs = Math.round(nowMs - this.#awayAtMs);
    this.#backAtMs = nowMs;
    logger.ok('buckets.recovered', { awayMs });
  }

  #announceLater(): void {
    if (this.#isDisposed) return;
    this.#timer = this.#clock.schedule(announceEveryMs, () => void this.#announce());
  }

  /** Finds out whether Redis is there, too. */
  async #announce(): Promise<void> {
    try {
      await this.#look();
      while (!this.#unheard.isEmpty) await this.#unheard.tell(this.#shared);
      this.#back();
    } catch (error) {
      if (!this.#isDisposed) this.#away(error);
    }
    this.#announceLater();
  }

  /** Tells that we live, and sees how the buckets in use stand. */
  async #look(): Promise<void> {
    const buckets = this.#seen.watched(this.#clock.monotonicMs());
    // A hold that nobody has: it only looks.
    const look = this.#shared.extend('', { holdMs: 1, buckets });
    await Promise.all([this.#processes.announce(), look]);
  }
}

/** A window's last step, and the time between two looks. */
const slackMs = 1_500;

/** A hold that Redis may have lost or may not know of, and that counts for long after its end. */
function isGuarded({ limit, spent = false }: Asked): boolean {
  return !spent && limit.kind === 'window';
}

function unused({ key, limit }: Asked) {
  return { key, limit, amount: 0 };
}

function mostOf(limit: BucketLimit): number {
  return limit.kind === 'rate' ? limit.burst : limit.permits;
}
