/**
 * Every breaker of a process, and what is told of them to the rest of the fleet. Alone it decides alone;
 * once it has joined a fleet it tells of what opened and closed here, hears what did elsewhere, and asks
 * before a probe, so that the fleet sends one.
 */
import type { Clock } from '@starling/clock';
import type { ProviderFault } from '../provider-fault.ts';
import { blameOf } from './blame.ts';
import { type BreakerPermit, breakerLimits, type RungOutcome } from './circuit-breaker.ts';
import { outMs } from './key-standing.ts';
import type { Rung } from './rung.ts';
import { HealthBook } from './rung-health.ts';

/**
 * What became of a rung's breaker, or of its key: `key_rests` is over its limit, `key_out` was refused.
 */
export interface BreakerChange {
  readonly rungId: string;
  readonly keyId: string;
  readonly state: 'open' | 'closed' | 'key_rests' | 'key_out';
  /** How long it stays so from now; 0 when the breaker closed. */
  readonly forMs: number;
}

/** The other processes, as far as breakers go. */
export interface BreakerFleet {
  /** Never throws. */
  tell(change: BreakerChange): void;
  /** Whether this process may probe; never rejects, and answers within a fraction of a second. */
  claimProbe(rungId: string): Promise<boolean>;
}

/** One call of one rung. */
export interface RungDial {
  readonly rung: Rung;
  readonly permit: BreakerPermit;
}

/** Somebody else is probing: look again after this long, unless the word comes before. */
const elsewhereMs = 1_000;

export interface BreakerBoardParts {
  readonly clock: Clock;
  readonly onChange?: ((change: BreakerChange, from: 'here' | 'fleet') => void) | undefined;
}

/** See the module's header. */
export class BreakerBoard {
  readonly health = new HealthBook();
  readonly #parts: BreakerBoardParts;
  #fleet: BreakerFleet | undefined;

  constructor(parts: BreakerBoardParts) {
    this.#parts = parts;
  }

  /** Shares from now on; one fleet at a time. */
  join(fleet: BreakerFleet): Disposable {
    this.#fleet = fleet;
    return {
      [Symbol.dispose]: () => {
        if (this.#fleet === fleet) this.#fleet = undefined;
      },
    };
  }

  /** What another process said, also of a rung that was not called here yet. */
  hear(change: BreakerChange): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const { forMs, keyId, rungId: id, state } = change;
    const { breaker, key } = this.health.of({ id, keyId });
    if (state === 'key_rests') key.rest(forMs, nowMs);
    else if (state === 'key_out') key.refused(nowMs);
    else if (!(state === 'open' ? breaker.open(forMs, nowMs) : breaker.close(nowMs))) return;
    this.#parts.onChange?.(change, 'fleet');
  }

  /** Whether the probe of a rung is this process's to make. */
  async mayProbe(rung: Rung): Promise<boolean> {
    if (!this.#fleet || (await this.#fleet.claimProbe(rung.id))) return true;
    const { breaker } = this.health.of(rung);
    breaker.open(elsewhereMs, this.#parts.clock.monotonicMs());
    return false;
  }

  /** A call has ended: with its answer, with a fault, or because nobody waited for it. */
  settle({ permit, rung }: RungDial, result: 'answered' | ProviderFault | undefined): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const { breaker, key, share } = this.health.of(rung);
    const outcome = this.#judge(rung, result, nowMs);
    if (outcome !== 'neutral') share.add(outcome === 'fault');
    if (outcome === 'success') key.served();
    const change = breaker.settle(permit, outcome, nowMs);
    if (change === 'open') this.#tell(rung, 'open', breakerLimits.openMs);
    if (change === 'closed') this.#tell(rung, 'closed', 0);
  }

  #judge(rung: Rung, result: 'answered' | ProviderFault | undefined, nowMs: number): RungOutcome {
    if (result === undefined) return 'neutral';
    if (result === 'answered') return 'success';
    const health = this.health.of(rung);
    switch (blameOf(result)) {
      case 'server':
        if (result.retryAfterMs) health.restUntilMs = nowMs + result.retryAfterMs;
        return 'fault';
      case 'key_limited':
        health.key.limited(result.retryAfterMs, nowMs);
        this.#tell(rung, 'key_rests', health.key.restMs(nowMs));
        return 'neutral';
      case 'key_refused':
        if (health.key.refused(nowMs)) this.#tell(rung, 'key_out', outMs);
        return 'neutral';
      case 'request':
      case 'nobody':
        return 'neutral';
    }
  }

  #tell({ id, keyId }: Rung, state: BreakerChange['state'], forMs: number): void {
    const change = { rungId: id, keyId, state, forMs };
    this.#parts.onChange?.(change, 'here');
    this.#fleet?.tell(change);
  }
}
