/**
 * One run of the whole fleet: children accept messages into the store, balancers bring them to workers,
 * workers claim, run and end them, children show the answers. First a calm in which a loud guild floods
 * the fleet, then a storm of faults, then peace until everything is answered.
 */
import { type Random, seededRandom } from '@starling/clock';
import { type BalancerId, balancerId, type WorkerId, workerId } from '@starling/contracts';
import { Simulation } from '../kernel/simulation.ts';
import { applyFaults, healAll } from './apply-faults.ts';
import { type BreakName, rulesWith } from './broken-rules.ts';
import { Bus } from './bus.ts';
import { Checker, type Violation } from './checker.ts';
import type { Cluster } from './cluster.ts';
import { Discord } from './discord.ts';
import { drawClock, drawFaults } from './fault-plan.ts';
import { letPeopleWrite } from './people.ts';
import { SimBalancer } from './sim-balancer.ts';
import { SimChild } from './sim-child.ts';
import { SimWorker } from './sim-worker.ts';
import { Store } from './store.ts';
import { Tally } from './tally.ts';

/** What a run came to. */
export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly tally: Tally;
  readonly asked: number;
  readonly answered: number;
  readonly events: number;
}

const shape = { balancers: 3, workers: 5, slots: 3 } as const;
const calmMs = 8_000;
const stormMs = 25_000;
/** Everything is answered by then, or something is lost: deadline, its grace, and the reminders. */
const peaceMs = 90_000;
const quietMs = 5_000;
/** Between looks at the workers' slots, once they have been quiet so long. */
const slotsEveryMs = 2_000;
const flood = { atMs: 2_000, messages: 250 } as const;
const keptMs = 1_000;
const hasty = { atMs: 14_000, messages: 200 } as const;
/**
 * In the calm a quiet guild's job starts within this while the flood waits for ten seconds: of a
 * thousand one waits 0.6 s, since a job may hold its slot for up to 10 s.
 */
const fairWaitMs = 1_500;

/** Runs one seed; `broken` swaps a rule of the product. */
export function runSeed(seed: number, broken?: BreakName): SeedResult {
  const simulation = new Simulation({ seed });
  const tally = new Tally();
  const checker = new Checker(simulation, tally);
  const rules = rulesWith(broken);
  const cluster: Cluster = {
    simulation,
    bus: new Bus(simulation, tally),
    store: new Store(rules.ledger, checker),
    discord: new Discord(),
    rules,
    tally,
    checker,
    balancers: new Map<BalancerId, SimBalancer>(),
    workers: new Map<WorkerId, SimWorker>(),
    children: [],
    removersDie: false,
  };
  const random = seededRandom(seed + 7_919);
  populate(cluster, random);
  applyFaults(cluster, drawFaults(random, { fromMs: calmMs, toMs: calmMs + stormMs }));
  const stormTimes = { from: calmMs, to: calmMs + stormMs };
  letPeopleWrite(cluster, random, { flood, hasty, stormMs: stormTimes });
  watchFairness(cluster);

  const { startMs } = simulation;
  const runTo = (ms: number, enough?: () => boolean) => {
    while (!enough?.() && simulation.step(startMs + ms)) checker.afterEvent();
  };
  const endOfStormMs = calmMs + stormMs + 9_000;
  runTo(endOfStormMs);
  healAll(cluster);
  simulation.every(slotsEveryMs, quietMs - slotsEveryMs, () => {
    checker.judgeSlots();
    return true;
  });
  const { discord, store } = cluster;
  const settled = () => discord.answered === discord.asked && store.jobs.size === 0;
  runTo(endOfStormMs + peaceMs, settled);
  judgeAnswers(cluster);
  // The last ends may still be on their way to the balancers: 40 s cover the reminder of a lost one.
  runTo(simulation.nowMs - startMs + 40_000, () =>
    [...cluster.balancers.values()].every(({ core }) => core.tracked === 0),
  );
  runTo(simulation.nowMs - startMs + quietMs);
  checker.judgeQuiet();
  // An answer is kept for 5 s, for others who ask the same.
  runTo(simulation.nowMs - startMs + keptMs);
  checker.judgeMaps(store.jobs.size);
  for (const balancer of cluster.balancers.values()) balancer.tallyUp();
  return {
    seed,
    violations: checker.violations,
    tally,
    asked: discord.asked,
    answered: discord.answered,
    events: simulation.events,
  };
}

function populate(cluster: Cluster, random: Random): void {
  for (let index = 0; index < shape.balancers; index += 1) {
    const id = balancerId.parse(`b${index}`);
    cluster.balancers.set(id, new SimBalancer(id, cluster));
  }
  for (let index = 0; index < shape.workers; index += 1) {
    const id = workerId.parse(`w${index}`);
    cluster.workers.set(id, new SimWorker({ id, slots: shape.slots }, cluster));
  }
  const child = new SimChild('c0', cluster);
  cluster.children.push(child);
  cluster.checker.watch({
    workers: [...cluster.workers.values()],
    balancers: [...cluster.balancers.values()],
    child,
    bus: cluster.bus,
  });
  const { balancers, children, workers } = cluster;
  for (const process of [...workers.values(), ...balancers.values(), ...children]) {
    process.node.clockAheadMs = drawClock(random);
    process.start();
  }
}

/** In the calm nobody quiet may wait behind the flood. */
function watchFairness({ simulation, checker, discord }: Cluster): void {
  simulation.every(100, flood.atMs, () => {
    const sinceMs = simulation.nowMs - simulation.startMs;
    if (sinceMs >= calmMs) return false;
    for (const jobId of discord.unanswered()) {
      const message = discord.messageOf(jobId);
      if (!message || message.header.guildKey === 'loud') continue;
      const waitedMs = simulation.nowMs - message.askedAtMs;
      if (waitedMs < fairWaitMs || checker.isStarted(jobId)) continue;
      const detail = `${jobId} of ${message.header.guildKey} waits for ${Math.round(waitedMs)} ms`;
      checker.violated('a quiet guild does not wait for a loud one', detail);
    }
    return true;
  });
}

function judgeAnswers({ discord, store, checker }: Cluster): void {
  for (const jobId of discord.unanswered()) {
    const { record } = store.read(jobId) ?? {};
    const where = store.jobs.has(jobId) ? 'stored' : 'not stored';
    checker.violated('every accepted job ends', `${jobId}: ${where}, ledger ${record?.kind}`);
  }
  for (const jobId of store.jobs.keys()) {
    checker.violated('nothing stays stored', `${jobId} is answered, and still there`);
  }
}
