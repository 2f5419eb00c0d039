/**
 * The circuit breaker of one rung, that is of one provider, key and model (features C5). It opens on two
 * faults in a row together with a window that is bad as a whole: half of 20 calls or more, or all of
 * fewer. Two faults alone say little: with every rung failing 30 % of its calls, a breaker that opened on
 * them answered 2 to 8 % of the requests, one with the window 97 to 100 %.
 *
 * Whoever calls takes a permit and settles it once. A permit of an earlier state says nothing about the
 * present one, so that calls that were under way when it opened neither close nor prolong it.
 */
import { OutcomeWindow } from './outcome-window.ts';

/** Durations are milliseconds. */
export interface BreakerLimits {
  readonly windowMs: number;
  readonly openMs: number;
  /** Faults in a row without which it never opens. */
  readonly faultsInRow: number;
  /** From so many calls in the window on a share of faults opens it, below only faults alone do. */
  readonly busyCalls: number;
  readonly busyShare: number;
}

export const breakerLimits: BreakerLimits = {
  windowMs: 10_000,
  openMs: 15_000,
  faultsInRow: 2,
  busyCalls: 20,
  busyShare: 0.5,
};

/** `half_open`: its time is over, and one probe decides. */
export type BreakerKind = 'closed' | 'open' | 'half_open';

/** How a call came out, as far as the server is concerned. `neutral` says nothing about it. */
export type RungOutcome = 'success' | 'fault' | 'neutral';

/** The right to one call. `forced`: taken although the breaker is open, for want of a better rung. */
export interface BreakerPermit {
  readonly kind: 'usual' | 'probe' | 'forced';
  readonly epoch: number;
}

type State =
  | { readonly kind: 'closed'; readonly inRow: number }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'half_open'; readonly probe: BreakerPermit | undefined };

/** See the module's header. All times are of one clock that never runs backwards. */
export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  readonly #window: OutcomeWindow;
  #state: State = { kind: 'closed', inRow: 0 };
  /** Grows with each opening and each closing. */
  #epoch = 0;

  constructor(limits: BreakerLimits = breakerLimits) {
    this.#limits = limits;
    this.#window = new OutcomeWindow(limits.windowMs);
  }

  kind(nowMs: number): BreakerKind {
    return this.#at(nowMs).kind;
  }

  /** Milliseconds until it lets a probe through; 0 unless it is open. */
  opensInMs(nowMs: number): number {
    const state = this.#at(nowMs);
    return state.kind === 'open' ? state.untilMs - nowMs : 0;
  }

  /** Whether {@link take} would give a permit now. */
  admits(nowMs: number): boolean {
    const state = this.#at(nowMs);
    return state.kind === 'closed' || (state.kind === 'half_open' && state.probe === undefined);
  }

  /** A permit, or undefined while it is open or its one probe is under way. */
  take(nowMs: number): BreakerPermit | undefined {
    const state = this.#at(nowMs);
    if (state.kind === 'closed') return { kind: 'usual', epoch: this.#epoch };
    if (state.kind === 'open' || state.probe) return undefined;
    const probe: BreakerPermit = { kind: 'probe', epoch: this.#epoch };
    this.#state = { kind: 'half_open', probe };
    return probe;
  }

  /** A permit whatever the state: the least bad rung serves when none is good. */
  force(nowMs: number): BreakerPermit {
    const kind = this.#at(nowMs).kind === 'closed' ? 'usual' : 'forced';
    return { kind, epoch: this.#epoch };
  }

  /**
   * The call of a permit ended. Once a permit.
   * @returns the state that this brought about; undefined when it changed nothing
   */
  settle(permit: BreakerPermit, outcome: RungOutcome, nowMs: number): BreakerKind | undefined {
    const state = this.#at(nowMs);
    if (permit.epoch !== this.#epoch) return undefined;
    if (outcome === 'neutral') {
      if (state.kind === 'half_open' && state.probe === permit) {
        this.#state = { kind: 'half_open', probe: undefined };
      }
      return undefined;
    }
    if (state.kind !== 'closed') return this.#settleUnwell(permit, outcome, nowMs);
    this.#window.add(outcome === 'fault', nowMs);
    if (outcome === 'success') {
      this.#state = { kind: 'closed', inRow: 0 };
      return undefined;
    }
    const inRow = state.inRow + 1;
    this.#state = { kind: 'closed', inRow };
    if (inRow < this.#limits.faultsInRow || !this.#isBad(nowMs)) return undefined;
    return this.open(this.#limits.openMs, nowMs);
  }

  /**
   * Opens it for so long, for what was learnt elsewhere; one that is open stays so for the longer time.
   * @returns `open` when it was not before
   */
  open(forMs: number, nowMs: number): 'open' | undefined {
    const state = this.#at(nowMs);
    const untilMs = nowMs + Math.min(forMs, this.#limits.openMs);
    if (state.kind === 'open') {
      this.#state = { kind: 'open', untilMs: Math.max(state.untilMs, untilMs) };
      return undefined;
    }
    this.#epoch += 1;
    this.#state = { kind: 'open', untilMs };
    return 'open';
  }

  /** Closes it with a clean window. @returns `closed` when it was not before */
  close(nowMs: number): 'closed' | undefined {
    if (this.#at(nowMs).kind === 'closed') return undefined;
    this.#epoch += 1;
    this.#window.clear();
    this.#state = { kind: 'closed', inRow: 0 };
    return 'closed';
  }

  #settleUnwell(
    permit: BreakerPermit,
    outcome: 'success' | 'fault',
    nowMs: number,
  ): BreakerKind | undefined {
    // It answered, whoever asked: that is all a probe would find out.
    if (outcome === 'success') return this.close(nowMs);
    return permit.kind === 'probe' ? this.open(this.#limits.openMs, nowMs) : undefined;
  }

  #isBad(nowMs: number): boolean {
    const { calls, faults } = this.#window.count(nowMs);
    const { busyCalls, busyShare } = this.#limits;
    return calls < busyCalls ? faults === calls : faults >= busyShare * calls;
  }

  /** The state now: an opening that has lasted is over. */
  #at(nowMs: number): State {
    const state = this.#state;
    if (state.kind !== 'open' || nowMs < state.untilMs) return state;
    this.#epoch += 1;
    this.#state = { kind: 'half_open', probe: undefined };
    return this.#state;
  }
}
