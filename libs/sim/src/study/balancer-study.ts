/**
 * The study that settles how several balancers share a fleet: the same arrivals and service times for
 * each design, in six situations. What a row means stands in docs/adr/0005-shared-view.md.
 */
import { quantile } from '../kernel/draws.ts';
import { centralQueue } from './central-queue.ts';
import { creditsWithStealing } from './credits.ts';
import type { DesignFactory } from './design.ts';
import { staleLeastConnections, twoChoices } from './early-binding.ts';
import { activeWithStandbys, sharedView } from './shared-view.ts';
import { type FleetShape, type Workload, World } from './world.ts';

/** How much is simulated. */
export interface StudySize {
  readonly seed: number;
  /** Each situation is repeated with this many seeds; the waits are put together. */
  readonly seeds: number;
  /** Jobs of the steady situation, over all seeds. */
  readonly jobs: number;
  /** How long the surge lasts, and how long all is well before the crash; default two and four minutes. */
  readonly surgeMs?: number;
  readonly crashAfterMs?: number;
}

/** One design in one situation. */
export interface StudyRow {
  readonly situation: 'steady' | 'surge' | 'crash' | 'spread' | 'even' | 'ephemeral';
  readonly design: string;
  readonly balancers: number;
  readonly workers: number;
  /** Whether its workers have different numbers of slots. */
  readonly mixed: boolean;
  readonly jobs: number;
  /** Of the quiet guilds' jobs, milliseconds. */
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  readonly waitMaxMs: number;
  /** Jobs of quiet guilds that were refused. */
  readonly quietRefused: number;
  /** Share of the slots' time that stood idle while a job waited. */
  readonly idleWhileWaiting: number;
  readonly messagesPerJob: number;
  readonly lostRacesPerThousand: number;
  /** Run requests that found the worker full, in a thousand jobs. */
  readonly refusedFullPerThousand: number;
  /** Difference between the most and the least completed work of a worker, over the mean. */
  readonly spread: number;
  /** Jobs in a thousand that started on a worker more than one job ahead of another; and by how many. */
  readonly aheadPerThousand: number;
  readonly mostAhead: number;
}

const field: FleetShape = {
  workers: 100,
  slots: 4,
  balancers: 4,
  serviceMs: { mean: 8_000, sigma: 1.1 },
  slowShare: 0.2,
};
const quietGuilds = 200;
const warmUpMs = 60_000;
/** What is measured of a crash: the jobs that arrive in the minute after it. */
const crashWindowMs = 60_000;

interface Situation {
  readonly name: StudyRow['situation'];
  readonly shape: FleetShape;
  readonly workload: Workload;
  readonly durationMs: number;
  readonly measureFromMs: number;
  readonly crashAtMs?: number;
}

const designs = {
  shared_view: sharedView,
  active_standby: activeWithStandbys,
  credits_stealing: creditsWithStealing,
  central: centralQueue,
  p2c: twoChoices,
  least_connections_stale: staleLeastConnections,
} as const satisfies Record<string, DesignFactory>;
export type DesignName = keyof typeof designs;

/** Runs one design through one situation, once for each seed. */
function observe(design: DesignName, situation: Situation, size: StudySize): StudyRow {
  const waits: number[] = [];
  const sums = {
    idle: 0,
    messages: 0,
    lost: 0,
    full: 0,
    started: 0,
    spread: 0,
    refused: 0,
    ahead: 0,
  };
  let mostAhead = 0;
  for (let run = 0; run < size.seeds; run += 1) {
    const world = new World(situation.shape, size.seed + run);
    const { simulation } = world;
    const built = designs[design](world);
    simulation.after(situation.measureFromMs, () => {
      world.measuring = true;
      world.comparing = situation.name === 'even';
    });
    if (situation.crashAtMs !== undefined) {
      simulation.after(situation.crashAtMs, () => built.crash());
    }
    world.feed(situation.workload, situation.durationMs, (job) => built.submit(job));
    const endMs = simulation.startMs + situation.durationMs;
    simulation.run(endMs);
    // The last ones in line still count: a measure that stops early forgets the longest waits.
    simulation.run(endMs + warmUpMs, () => world.measuredWaiting === 0);
    world.close();
    for (const wait of world.waits) waits.push(wait);
    sums.idle += world.idleWhileWaiting;
    sums.messages += world.messages;
    sums.lost += world.lostRaces;
    sums.full += world.refusedFull;
    sums.started += world.started;
    sums.refused += world.refusedQuiet;
    sums.spread += spreadOf(world.servedBy);
    sums.ahead += world.startedAhead;
    mostAhead = Math.max(mostAhead, world.mostAhead);
  }
  waits.sort((a, b) => a - b);
  return {
    situation: situation.name,
    design,
    balancers: situation.shape.balancers,
    workers: situation.shape.workers,
    mixed: new Set(situation.shape.mixed).size > 1,
    jobs: sums.started,
    waitP50Ms: rounded(quantile(waits, 0.5)),
    waitP99Ms: rounded(quantile(waits, 0.99)),
    waitMaxMs: rounded(waits.at(-1) ?? 0),
    quietRefused: sums.refused,
    idleWhileWaiting: Number((sums.idle / size.seeds).toPrecision(3)),
    messagesPerJob: rounded(sums.messages / sums.started),
    lostRacesPerThousand: rounded((sums.lost / sums.started) * 1_000),
    refusedFullPerThousand: rounded((sums.full / sums.started) * 1_000),
    spread: Number((sums.spread / size.seeds).toPrecision(3)),
    aheadPerThousand: rounded((sums.ahead / sums.started) * 1_000),
    mostAhead: rounded(mostAhead),
  };
}

function spreadOf(servedBy: readonly number[]): number {
  const mean = servedBy.reduce((sum, jobs) => sum + jobs, 0) / servedBy.length;
  return (Math.max(...servedBy) - Math.min(...servedBy)) / Math.max(1, mean);
}

const rounded = (value: number) => Math.round(value * 10) / 10;

/** The whole study, one row after another. */
export function* balancerStudy(size: StudySize): Generator<StudyRow> {
  const steadyMs = size.jobs / size.seeds / (new World(field, 0).capacity * 0.9);
  const steady: Situation = {
    name: 'steady',
    shape: field,
    workload: { load: 0.9, guilds: quietGuilds },
    durationMs: steadyMs,
    measureFromMs: Math.min(warmUpMs, steadyMs / 4),
  };
  for (const design of Object.keys(designs) as DesignName[]) yield observe(design, steady, size);

  const several = ['shared_view', 'active_standby', 'credits_stealing'] as const;
  for (const design of [...several, 'central'] as const) {
    for (const balancers of design === 'central' ? [1] : [1, 3, 8]) {
      yield observe(design, surge(balancers, size.surgeMs), size);
    }
  }
  for (const design of several) {
    for (const balancers of [3, 8])
      yield observe(design, crash(balancers, size.crashAfterMs), size);
  }
  for (const load of [0.2, 0.9]) yield observe('shared_view', spread(load), { ...size, seeds: 1 });
  for (const workers of [3, 10, 30]) {
    for (const mixed of [[4], [2, 4, 8]]) {
      yield observe('shared_view', even(workers, mixed), { ...size, seeds: 1 });
    }
  }
  for (const balancers of [1, 3, 8]) yield observe('shared_view', ephemeral(balancers), size);
}

function surge(balancers: number, surgeMs = 120_000): Situation {
  return {
    name: 'surge',
    shape: { ...field, balancers },
    workload: { load: 0.3, guilds: quietGuilds, loud: 10 },
    durationMs: surgeMs,
    measureFromMs: surgeMs / 4,
  };
}

function crash(balancers: number, crashAfterMs = 240_000): Situation {
  return {
    name: 'crash',
    shape: { ...field, balancers },
    workload: { load: 0.9, guilds: quietGuilds },
    durationMs: crashAfterMs + crashWindowMs,
    measureFromMs: crashAfterMs,
    crashAtMs: crashAfterMs,
  };
}

/** Three equal workers and ten thousand jobs. */
function spread(load: number): Situation {
  const shape = { ...field, workers: 3, balancers: 3, slowShare: 0 };
  const jobs = 10_000;
  return {
    name: 'spread',
    shape,
    workload: { load, guilds: quietGuilds },
    durationMs: jobs / (new World(shape, 0).capacity * load),
    measureFromMs: 0,
  };
}

/** Workers with as many slots, or with different numbers of them; half are free, so that there is a choice. */
function even(workers: number, mixed: readonly number[]): Situation {
  const shape = { ...field, workers, mixed, balancers: 3, slowShare: 0 };
  const load = 0.5;
  return {
    name: 'even',
    shape,
    workload: { load, guilds: quietGuilds },
    durationMs: 4_000 / (new World(shape, 0).capacity * load),
    measureFromMs: 0,
  };
}

/**
 * Every job waits at its home alone, and half of the slots are free: whoever waits, waits for a slot that
 * is dealt to somebody else. Short jobs, as in the benchmark of the real fleet.
 */
function ephemeral(balancers: number): Situation {
  const serviceMs = { mean: 80, sigma: 1.1 };
  const shape = { workers: 8, slots: 4, balancers, serviceMs, slowShare: 0 };
  return {
    name: 'ephemeral',
    shape,
    workload: { load: 0.5, guilds: quietGuilds, ephemeral: 1 },
    durationMs: 20_000,
    measureFromMs: 1_000,
  };
}
