/**
 * The ways to pick a worker (features B2). Least connections by full scan is the default and the only
 * one that the fleet's numbers are promised for: with few slots a worker and jobs of seconds a sample of
 * two leaves the least loaded one out too often, and turns ignore that jobs differ a hundredfold.
 */
import type { Random } from '@starling/clock';
import type { WorkerId } from '@starling/contracts';
import type { WorkerLoad } from '../fleet-view.ts';
import { loadOf, type Strategy, type StrategyName } from './strategy.ts';

/** The one with the least `cost`, at random among equals. */
function least(
  workers: readonly WorkerLoad[],
  random: Random,
  cost: (worker: WorkerLoad) => number,
): WorkerLoad | undefined {
  let best: WorkerLoad | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  let equals = 0;
  for (const worker of workers) {
    const its = cost(worker);
    if (best !== undefined && its > bestCost) continue;
    equals = best === undefined || its < bestCost ? 1 : equals + 1;
    // Reservoir of one: each of n equals ends up chosen with probability 1/n.
    if (equals === 1 || random.integer(equals) === 0) best = worker;
    bestCost = its;
  }
  return best;
}

export const leastConnections: Strategy = {
  name: 'least_connections',
  pick: (workers, random) => least(workers, random, loadOf),
};

/** The less loaded of two drawn at random (Mitzenmacher 2001). */
const powerOfTwo: Strategy = {
  name: 'power_of_two',
  pick(workers, random) {
    if (workers.length < 3) return least(workers, random, loadOf);
    const first = random.integer(workers.length);
    const second = (first + 1 + random.integer(workers.length - 1)) % workers.length;
    const drawn = [workers[first], workers[second]].filter((worker) => worker !== undefined);
    return least(drawn, random, loadOf);
  },
};

/**
 * Recent first-token time times what is in flight (Finagle's peak EWMA; the worker's own tracker lets
 * peaks count at once). A worker nobody knows anything of costs nothing, so that it is tried.
 */
const peakEwma: Strategy = {
  name: 'peak_ewma',
  pick: (workers, random) =>
    least(
      workers,
      random,
      ({ firstTokenMs = 0, inFlight, slots }) => (firstTokenMs * (inFlight + 1)) / slots,
    ),
};

/** In turn by id, so that a worker that comes or goes does not shift the others' turns. */
function roundRobin(): Strategy {
  let last: WorkerId | undefined;
  return {
    name: 'round_robin',
    pick(workers) {
      let next: WorkerLoad | undefined;
      let first: WorkerLoad | undefined;
      for (const worker of workers) {
        const { workerId } = worker;
        if (first === undefined || workerId < first.workerId) first = worker;
        if (last !== undefined && workerId <= last) continue;
        if (next === undefined || workerId < next.workerId) next = worker;
      }
      const picked = next ?? first;
      last = picked?.workerId ?? last;
      return picked;
    },
  };
}

/** In proportion to slots and health, by chance: no state that several balancers would have to share. */
const weighted: Strategy = {
  name: 'weighted',
  pick(workers, random) {
    let total = 0;
    for (const { slots, score = 1 } of workers) total += slots * score;
    let left = random.next() * total;
    for (const worker of workers) {
      left -= worker.slots * (worker.score ?? 1);
      if (left < 0) return worker;
    }
    return workers.at(-1);
  },
};

/** A strategy by its name; each call of a stateful one begins anew. */
export function strategyNamed(name: StrategyName): Strategy {
  switch (name) {
    case 'least_connections':
      return leastConnections;
    case 'round_robin':
      return roundRobin();
    case 'weighted':
      return weighted;
    case 'power_of_two':
      return powerOfTwo;
    case 'peak_ewma':
      return peakEwma;
  }
}
