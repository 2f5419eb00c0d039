import type { BalancerHeartbeat, BalancerId, ScalingSignal } from '@starling/contracts';

/** What was said longer ago than this, milliseconds, counts no more: as long as a worker may be silent. */
const validMs = 3_000;
/** Further balancers are not listened to; a cell has 8 at most. */
const maxBalancers = 64;

interface Said {
  readonly signal: ScalingSignal | undefined;
  readonly ownWaiting: number;
  readonly atMs: number;
}

/** What the balancers of a fleet say of its load, by their heartbeats. Times never run backwards. */
export class SignalBoard {
  readonly #said = new Map<BalancerId, Said>();

  heard({ balancerId, ownWaiting = 0, scaling: signal }: BalancerHeartbeat, nowMs: number): void {
    for (const [id, { atMs }] of this.#said) if (nowMs - atMs >= validMs) this.#said.delete(id);
    if (this.#said.size < maxBalancers || this.#said.has(balancerId)) {
      this.#said.set(balancerId, { signal, ownWaiting, atMs: nowMs });
    }
  }

  /** Jobs that wait where no other balancer sees them, in all that are heard. */
  ownWaiting(nowMs: number): number {
    let waiting = 0;
    for (const said of this.#valid(nowMs)) waiting += said.ownWaiting;
    return waiting;
  }

  /** The fleet's signal; undefined while no balancer has one. */
  signal(nowMs: number): ScalingSignal | undefined {
    return mostWanted(Array.from(this.#valid(nowMs), ({ signal }) => signal));
  }

  *#valid(nowMs: number): Generator<Said> {
    for (const said of this.#said.values()) if (nowMs - said.atMs < validMs) yield said;
  }
}

/** Of what several balancers say: all of them see the same fleet, and who wants most has seen most. */
export function mostWanted(
  signals: Iterable<ScalingSignal | undefined>,
): ScalingSignal | undefined {
  let most: ScalingSignal | undefined;
  for (const signal of signals) {
    if (signal && (!most || signal.wantedSlots > most.wantedSlots)) most = signal;
  }
  return most;
}
