import { mostWanted, rendezvousWeight } from '@starling/balance';
import type { BalancerHeartbeat, BalancerId, ScalingSignal } from '@starling/contracts';

/** A balancer's start: a job is where this process was, not where a later one of the same name is. */
export interface Home {
  readonly balancerId: BalancerId;
  readonly epoch: number;
}

interface Heard {
  readonly heartbeat: BalancerHeartbeat;
  atMs: number;
}

/** Three heartbeats of 250 ms (protocol.md, step 3). */
const deadAfterMs = 750;
/** Further balancers are not listened to; a cell has 8 at most. */
const maxBalancers = 64;
/** Looks that are further apart mean that this process stood still, and heard nobody. */
const stoodStillMs = 600;

/** Which balancers live, by their heartbeats, and which of them is a job's home. */
export class BalancerRoster {
  readonly #heard = new Map<BalancerId, Heard>();
  #lookedAtMs: number | undefined;

  hear(heartbeat: BalancerHeartbeat, nowMs: number): void {
    const { balancerId, epoch } = heartbeat;
    const known = this.#heard.get(balancerId);
    if (known && known.heartbeat.epoch > epoch) return;
    if (!known && this.#heard.size >= maxBalancers) return;
    this.#heard.set(balancerId, { heartbeat, atMs: nowMs });
  }

  /**
   * Forgets who was silent for too long. Silence counts only while we could have heard: not while the
   * bus was away, and not while this process itself stood still.
   */
  look(nowMs: number, options: { readonly hearing: boolean }): void {
    const sinceMs = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = nowMs;
    const deaf = !options.hearing || sinceMs > stoodStillMs;
    for (const [balancerId, heard] of this.#heard) {
      if (deaf) heard.atMs = nowMs;
      else if (nowMs - heard.atMs > deadAfterMs) this.#heard.delete(balancerId);
    }
  }

  /**
   * The job's home among those who live, take jobs and are not excluded: rendezvous hashing.
   * @param key the job's id or, of one that may share a call, the call's key
   */
  homeOf(key: string, excluded: ReadonlySet<BalancerId>): Home | undefined {
    let home: BalancerHeartbeat | undefined;
    let most = -1;
    for (const { heartbeat } of this.#heard.values()) {
      if (heartbeat.draining || excluded.has(heartbeat.balancerId)) continue;
      const weight = rendezvousWeight(key, heartbeat.balancerId);
      const wins =
        weight > most ||
        (weight === most && home !== undefined && heartbeat.balancerId < home.balancerId);
      if (wins) [most, home] = [weight, heartbeat];
    }
    return home && { balancerId: home.balancerId, epoch: home.epoch };
  }

  /** Whether this very process still lives, draining or not. */
  lives({ balancerId, epoch }: Home): boolean {
    return this.#heard.get(balancerId)?.heartbeat.epoch === epoch;
  }

  /** Whether it said that it leaves: what waited there is given back, and the rest runs. */
  leaves({ balancerId, epoch }: Home): boolean {
    const heard = this.#heard.get(balancerId)?.heartbeat;
    return heard?.epoch === epoch && heard.draining;
  }

  /** Balancers that take jobs. */
  get taking(): number {
    let count = 0;
    for (const { heartbeat } of this.#heard.values()) if (!heartbeat.draining) count += 1;
    return count;
  }

  /** How loaded the fleet is and how many workers it wants; undefined while no balancer knows. */
  get scaling(): ScalingSignal | undefined {
    return mostWanted(Array.from(this.#heard.values(), ({ heartbeat }) => heartbeat.scaling));
  }

  /** Models that workers named, in order. `all`: no other can be asked for. */
  get models(): { readonly names: readonly string[]; readonly all: boolean } {
    const names = new Set<string>();
    let all = false;
    let some = false;
    for (const { heartbeat } of this.#heard.values()) {
      const { models, someModels = [] } = heartbeat;
      // A balancer that says nothing has just begun, and does not know.
      all ||= models !== undefined;
      some ||= heartbeat.someModels !== undefined;
      for (const name of models ?? someModels) names.add(name);
    }
    return { names: [...names].sort(), all: all && !some };
  }
}
