import { WorkerCore } from '@starling/balance';
import { balancerMaps, deskMaps, MapJudge, workerMaps } from './map-bounds.ts';
import type { SimBalancer } from './sim-balancer.ts';
import type { SimWorker } from './sim-worker.ts';

/** A process whose maps are judged. */
export type MappedProcess = SimBalancer | SimWorker;

/** Judges the maps of those processes that an event touched. */
export class MapWatch {
  readonly #touched = new Set<MappedProcess>();
  readonly #balancer = new MapJudge(balancerMaps);
  readonly #desk = new MapJudge(deskMaps);
  readonly #worker = new MapJudge(workerMaps);
  #size = { workers: 0, balancers: 0, slots: 0 };

  watch(parts: {
    readonly workers: readonly SimWorker[];
    readonly balancers: readonly SimBalancer[];
  }): void {
    const slots = parts.workers.reduce((sum, worker) => sum + worker.slots, 0);
    this.#size = { workers: parts.workers.length, balancers: parts.balancers.length, slots };
  }

  touched(process: MappedProcess): void {
    this.#touched.add(process);
  }

  /** What is too much in the processes that were touched; `stored` when all is quiet. */
  swollen(asked: number, stored?: number): readonly string[] {
    if (this.#touched.size === 0) return nothing;
    const run = { ...this.#size, asked };
    const found: string[] = [];
    for (const process of this.#touched) {
      const { core, id } = process;
      const ofCore =
        core instanceof WorkerCore
          ? this.#worker.swollen(core.sizes, run, stored)
          : this.#balancer.swollen(core.sizes, run, stored);
      const ofDesk =
        'desk' in process ? this.#desk.swollen(process.desk.sizes, run, stored) : undefined;
      for (const what of [ofCore, ofDesk]) if (what) found.push(`${id} holds ${what}`);
    }
    this.#touched.clear();
    return found;
  }
}

const nothing: readonly string[] = [];
