/** The ideal: one queue that sees every slot and costs no time. FIFO, or fair between guilds. */
import { FairQueue } from '@starling/balance';
import type { JobId } from '@starling/contracts';
import type { Design, DesignFactory } from './design.ts';
import type { StudyJob, World } from './world.ts';

export const centralQueue: DesignFactory = (world) => new CentralQueue(world);

class CentralQueue implements Design {
  readonly #world: World;
  readonly #queue = new FairQueue();
  readonly #jobs = new Map<JobId, StudyJob>();
  /** Workers by their free slots, one entry a slot. */
  readonly #free: number[] = [];

  constructor(world: World) {
    this.#world = world;
    for (let slot = 0; slot < world.shape.slots; slot += 1) {
      for (let worker = 0; worker < world.shape.workers; worker += 1) this.#free.push(worker);
    }
  }

  submit(job: StudyJob): void {
    if (this.#queue.refusal(job.header)) {
      this.#world.refuse(job);
      return;
    }
    this.#jobs.set(job.header.jobId, job);
    this.#queue.add(job.header, this.#world.simulation.nowMs);
    this.#dispatch();
  }

  crash(): void {
    // The ideal does not die.
  }

  #dispatch(): void {
    const { simulation } = this.#world;
    while (this.#free.length > 0) {
      const head = this.#queue.head(simulation.nowMs);
      if (!head) return;
      this.#queue.take(head.jobId);
      const job = this.#jobs.get(head.jobId);
      this.#jobs.delete(head.jobId);
      const drawn = simulation.random.integer(this.#free.length);
      const worker = this.#free[drawn];
      const last = this.#free.pop();
      if (!job || worker === undefined || last === undefined) return;
      if (drawn < this.#free.length) this.#free[drawn] = last;
      this.#world.run(job, worker, () => {
        this.#free.push(worker);
        this.#dispatch();
      });
    }
  }
}
