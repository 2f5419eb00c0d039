import type { BalancerId } from '@starling/contracts';
import { rendezvousRank } from './rendezvous.ts';

/** Heartbeats of further balancers are ignored at this many; a cell has 8 at most. */
const maxPeers = 64;

/** Which balancers are heard: the same on a balancer (its peers) and on a worker (whom it deals to). */
export class PeerBook {
  readonly #deadMs: number;
  readonly #heardAtMs = new Map<BalancerId, number>();
  /** In order; made anew after a change only, since every report needs it. */
  #ids: readonly BalancerId[] = [];

  /** @param deadMs silence after which a balancer is taken for dead */
  constructor(deadMs: number) {
    this.#deadMs = deadMs;
  }

  /** @returns whether the balancer was unknown before */
  heard(balancerId: BalancerId, nowMs: number): boolean {
    const known = this.#heardAtMs.has(balancerId);
    if (!known && this.#heardAtMs.size >= maxPeers) return false;
    this.#heardAtMs.set(balancerId, nowMs);
    if (!known) this.#sort();
    return !known;
  }

  /** @returns whether it was there */
  left(balancerId: BalancerId): boolean {
    const there = this.#heardAtMs.delete(balancerId);
    if (there) this.#sort();
    return there;
  }

  /** Forgets the dead. @returns whether there were any */
  sweep(nowMs: number): boolean {
    let found = false;
    for (const [balancerId, heardAtMs] of this.#heardAtMs) {
      if (nowMs - heardAtMs < this.#deadMs) continue;
      this.#heardAtMs.delete(balancerId);
      found = true;
    }
    if (found) this.#sort();
    return found;
  }

  /** The live balancers in the order of their ids. */
  get ids(): readonly BalancerId[] {
    return this.#ids;
  }

  /** Our place among the live balancers for a key, 0 for its home. */
  rankOf(key: string, self: BalancerId): number {
    return rendezvousRank(key, self, this.#heardAtMs.keys());
  }

  #sort(): void {
    this.#ids = [...this.#heardAtMs.keys()].sort();
  }
}
