import type { BalancerId, LoadReport, WorkerId } from '@starling/contracts';
import type { Simulation } from '../kernel/simulation.ts';
import type { Tally } from './tally.ts';

/** What a worker's report is worth to the balancer that took it in. */
interface Credit {
  readonly epoch: number;
  readonly sequence: number;
  readonly atMs: number;
  readonly granted: number;
  /** Slots dealt to anybody: one that lies with a peer may be spent in its place. */
  readonly dealt: number;
  spent: number;
}

/** After this long an older epoch is believed. */
const forgottenMs = 3_000;

/** The credits of all balancers, by the reports that reached them. */
export class CreditBook {
  readonly #simulation: Simulation;
  readonly #tally: Tally;
  readonly #credits = new Map<string, Credit>();

  constructor(simulation: Simulation, tally: Tally) {
    this.#simulation = simulation;
    this.#tally = tally;
  }

  reported(balancerId: BalancerId, report: LoadReport): void {
    const key = keyOf(balancerId, report.workerId);
    const { epoch, grants = {}, sequence } = report;
    const { nowMs: atMs } = this.#simulation;
    const known = this.#credits.get(key);
    if (known) {
      if (epoch === known.epoch && sequence <= known.sequence) return;
      // An older epoch may be late, or that of a process whose host's clock was set back.
      if (epoch < known.epoch && atMs - known.atMs < forgottenMs) return;
      if (epoch < known.epoch) this.#tally.count('older epoch believed');
    }
    const { [balancerId]: granted = 0 } = grants;
    const dealt = Object.values(grants).reduce((sum, slots) => sum + slots, 0);
    this.#credits.set(key, { epoch, sequence, atMs, granted, dealt, spent: 0 });
  }

  /** A job is sent on a slot of the worker. @returns what is wrong with that, if anything */
  spend(balancerId: BalancerId, workerId: WorkerId): string | undefined {
    const credit = this.#credits.get(keyOf(balancerId, workerId));
    if (credit) credit.spent += 1;
    const { dealt = 0, spent = 1 } = credit ?? {};
    if (spent <= dealt) return undefined;
    return `${balancerId} sent ${spent} jobs on ${dealt} dealt slots of ${workerId}`;
  }

  granted(balancerId: BalancerId, workerId: WorkerId): number {
    return this.#credits.get(keyOf(balancerId, workerId))?.granted ?? 0;
  }

  /** A balancer's credits are gone with its life: a new one starts with none. */
  forget(balancerId: BalancerId): void {
    for (const key of this.#credits.keys()) {
      if (key.startsWith(keyOf(balancerId, ''))) this.#credits.delete(key);
    }
  }
}

function keyOf(balancerId: BalancerId, workerId: WorkerId | ''): string {
  return `${balancerId} ${workerId}`;
}
