import type { BalancerId, WorkerId } from '@starling/contracts';
import type { Simulation } from '../kernel/simulation.ts';
import type { Rules } from './broken-rules.ts';
import type { Bus } from './bus.ts';
import type { Checker } from './checker.ts';
import type { Discord } from './discord.ts';
import type { SimBalancer } from './sim-balancer.ts';
import type { SimChild } from './sim-child.ts';
import type { SimWorker } from './sim-worker.ts';
import type { Store } from './store.ts';
import type { Tally } from './tally.ts';

/** Everything that a simulated process can reach: through the bus only, but for Discord and the witnesses. */
export interface Cluster {
  readonly simulation: Simulation;
  readonly bus: Bus;
  readonly store: Store;
  readonly discord: Discord;
  readonly rules: Rules;
  readonly tally: Tally;
  readonly checker: Checker;
  readonly balancers: Map<BalancerId, SimBalancer>;
  readonly workers: Map<WorkerId, SimWorker>;
  readonly children: SimChild[];
  /** Whoever is about to remove a job from the store is killed before it does. */
  removersDie: boolean;
}
