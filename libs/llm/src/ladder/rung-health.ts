import { CircuitBreaker } from './circuit-breaker.ts';
import { FaultShare } from './fault-share.ts';
import { FirstTokenTimes } from './first-token-times.ts';
import { KeyStanding } from './key-standing.ts';
import type { Rung } from './rung.ts';

/** What is known of a rung; it outlives the calls and the configuration. */
export interface RungHealth {
  readonly breaker: CircuitBreaker;
  readonly share: FaultShare;
  readonly key: KeyStanding;
  readonly firstTokens: FirstTokenTimes;
  /** Streams that are open. */
  inFlight: number;
  /** The provider asked to leave it alone until then, monotonic milliseconds. */
  restUntilMs: number;
}

/** Rungs that are remembered: without a ladder each model that somebody asks for by name is one. */
const maxRungs = 1_000;

/** The health of every rung of a process. */
export class HealthBook {
  readonly #rungs = new Map<string, RungHealth>();
  readonly #keys = new Map<string, KeyStanding>();

  /** The health of a rung; the one that was looked up longest ago is forgotten for the thousand and first. */
  of({ id, keyId }: Pick<Rung, 'id' | 'keyId'>): RungHealth {
    const health = this.#rungs.get(id) ?? {
      ...{ breaker: new CircuitBreaker(), share: new FaultShare(), key: this.#key(keyId) },
      ...{ firstTokens: new FirstTokenTimes(), inFlight: 0, restUntilMs: Number.NEGATIVE_INFINITY },
    };
    touch(this.#rungs, id, health);
    return health;
  }

  /** What is known of a rung by its id, if it was ever called here. */
  known(id: string): RungHealth | undefined {
    return this.#rungs.get(id);
  }

  #key(keyId: string): KeyStanding {
    const standing = this.#keys.get(keyId) ?? new KeyStanding();
    touch(this.#keys, keyId, standing);
    return standing;
  }
}

function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.size > maxRungs ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}

/** Milliseconds that a rung is to be left alone, itself or its key; 0 when it is not. */
export function restMs({ key, restUntilMs }: RungHealth, nowMs: number): number {
  return Math.max(key.restMs(nowMs), restUntilMs - nowMs, 0);
}
