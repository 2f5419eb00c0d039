/**
 * The connections of a process to its providers, one pool for each provider and key. They outlive a change of
 * the configuration that leaves the provider as it is; the others are closed when their last stream has ended.
 */
import type { Clock } from '@starling/clock';
import { ConnectionPool } from '@starling/pool';
import type { CallLimits } from '../call-timers.ts';
import { dialectOf } from '../dialect-of.ts';
import { HttpProvider } from '../http-provider.ts';
import type { WithinLimits } from '../limits/within-limits.ts';
import type { Provider } from '../provider.ts';
import type { ProviderKey, ProviderPlace } from './ladder-config.ts';

/** What all connections have in common, as the settings say it. Times are milliseconds. */
export interface ConnectionSettings extends CallLimits {
  readonly poolMin: number;
  readonly poolMax: number;
  readonly poolMaxWaiters: number;
  readonly acquireTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly poolLifetimeMs: number;
  readonly poolIdleMs: number;
}

interface ShelfParts {
  readonly clock: Clock;
  readonly settings: ConnectionSettings;
  /** What the fleet may ask under each key; undefined: as much as it likes. */
  readonly limited?: WithinLimits | undefined;
}

interface Kept {
  readonly provider: Provider;
  users: number;
}

/** Held by a configuration for as long as one of its calls may use the connections. */
export interface ConnectionHold extends AsyncDisposable {
  readonly provider: Provider;
}

export class ConnectionShelf {
  readonly #parts: ShelfParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: ShelfParts) {
    this.#parts = parts;
  }

  /** The connections to a provider under a key; opens none yet. */
  hold(place: ProviderPlace, key: ProviderKey | undefined): ConnectionHold {
    const id = JSON.stringify([place.name, place.dialect, place.baseUrl, key?.value]);
    const kept = this.#kept.get(id) ?? { provider: this.#limited(place, key), users: 0 };
    this.#kept.set(id, kept);
    kept.users += 1;
    let held = true;
    return {
      provider: kept.provider,
      [Symbol.asyncDispose]: async () => {
        if (!held) return;
        held = false;
        kept.users -= 1;
        if (kept.users > 0) return;
        this.#kept.delete(id);
        await kept.provider[Symbol.asyncDispose]();
      },
    };
  }

  #limited(place: ProviderPlace, key: ProviderKey | undefined): Provider {
    const provider = this.#open(place, key);
    return this.#parts.limited?.(provider, { place: place.name, key: key?.value }) ?? provider;
  }

  #open(place: ProviderPlace, key: ProviderKey | undefined): Provider {
    const { clock, settings } = this.#parts;
    return new HttpProvider({
      name: place.name,
      // Every call of a rung names its model.
      defaultModel: '',
      dialect: dialectOf(place, key?.value),
      pool: new ConnectionPool({
        origin: new URL(place.baseUrl).origin,
        clock,
        min: Math.min(settings.poolMin, settings.poolMax),
        max: settings.poolMax,
        maxWaiters: settings.poolMaxWaiters,
        acquireTimeoutMs: settings.acquireTimeoutMs,
        connectTimeoutMs: settings.connectTimeoutMs,
        lifetimeMs: settings.poolLifetimeMs,
        idleMs: settings.poolIdleMs,
      }),
      clock,
      limits: settings,
      secret: key?.value,
    });
  }
}
