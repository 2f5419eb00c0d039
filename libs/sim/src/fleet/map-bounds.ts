/**
 * What may stand in the maps of the product's cores and of a balancer's desk: at any time no more than
 * there is to remember, and nothing of what is over once all is quiet. Every map must be named here.
 */

/** What a run has, by which its maps are bounded. */
export interface RunSize {
  /** Questions so far. */
  readonly asked: number;
  readonly workers: number;
  readonly balancers: number;
  /** Slots of all workers. */
  readonly slots: number;
}

interface MapBound {
  readonly most: (size: RunSize) => number;
  /** At the end, when `stored` jobs are left; absent where what is over may be remembered. */
  readonly quiet?: (stored: number) => number;
}

/** Maps by their names. */
export type Sizes = Readonly<Record<string, number>>;
type Bounds = Readonly<Record<string, MapBound>>;

const ofJobs: MapBound = { most: ({ asked }) => asked, quiet: (stored) => stored };
const shared: MapBound = { most: ({ asked }) => asked, quiet: () => 0 };
const constant = (most: number): MapBound => ({ most: () => most });
const ofWorkers: MapBound = { most: ({ workers }) => workers };

export const balancerMaps: Bounds = {
  jobs: ofJobs,
  due: ofJobs,
  waiting: ofJobs,
  early: constant(2_000),
  models: constant(1),
  // A guild and its users, all guilds together, and the virtual times of the lanes.
  flows: constant(2_000),
  calls: shared,
  keptCalls: shared,
  sharing: shared,
  ready: shared,
  workers: ofWorkers,
  granting: ofWorkers,
  lying: ofWorkers,
  spent: { most: ({ slots }) => 2 * slots, quiet: () => 0 },
  peers: { most: ({ balancers }) => balancers - 1 },
  conversations: constant(0),
};

export const deskMaps: Bounds = {
  inLine: shared,
  atWork: { ...constant(50), quiet: () => 0 },
};

export const workerMaps: Bounds = {
  jobs: { ...ofJobs, quiet: () => 0 },
  calls: shared,
  keptCalls: shared,
  followers: shared,
  untold: { ...constant(500), quiet: () => 0 },
  peers: { most: ({ balancers }) => balancers },
};

/** Holds the maps of one kind of process to their bounds; cheap enough for each event. */
export class MapJudge {
  readonly #bounds: Bounds;
  readonly #most = new Map<string, number>();
  #asked = -1;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** What a map holds too much of, in words; `stored` when all is quiet. */
  swollen(sizes: Sizes, run: RunSize, stored?: number): string | undefined {
    if (run.asked !== this.#asked) this.#measure(run);
    for (const name in sizes) {
      const entries = sizes[name] ?? 0;
      const quiet = stored === undefined ? undefined : this.#bounds[name]?.quiet?.(stored);
      const most = quiet ?? this.#most.get(name) ?? -1;
      if (entries > most) return `${entries} ${name}, ${most} are the most`;
    }
    return undefined;
  }

  #measure(run: RunSize): void {
    this.#asked = run.asked;
    for (const [name, { most }] of Object.entries(this.#bounds)) this.#most.set(name, most(run));
  }
}
