/**
 * What load balancers of this field do: a job is bound to a worker when it arrives and waits there, by
 * the less loaded of two drawn (each balancer knows only what it sent itself), or by the least of a
 * shared view that is a second old.
 */
import type { Design, DesignFactory } from './design.ts';
import { hopMs, type StudyJob, type World } from './world.ts';

type Pick = (balancer: number) => number;

interface Bound {
  readonly job: StudyJob;
  readonly balancer: number;
}

abstract class EarlyBinding implements Design {
  protected readonly world: World;
  readonly #queues: Bound[][];

  constructor(world: World) {
    this.world = world;
    this.#queues = Array.from({ length: world.shape.workers }, () => []);
  }

  protected abstract pick: Pick;
  protected abstract sent(balancer: number, worker: number): void;
  protected abstract ended(balancer: number, worker: number): void;

  /** Jobs that run or wait at a worker, per slot. */
  protected loadOf(worker: number): number {
    const waiting = this.#queues[worker]?.length ?? 0;
    return (waiting + this.world.busy(worker)) / this.world.shape.slots;
  }

  submit(job: StudyJob): void {
    const { simulation, shape } = this.world;
    const balancer = simulation.random.integer(shape.balancers);
    const worker = this.pick(balancer);
    this.sent(balancer, worker);
    this.world.messages += 2;
    simulation.after(hopMs, () => this.#arrive({ job, balancer }, worker));
  }

  crash(): void {
    // What is bound stays bound; arrivals go to the others.
  }

  #arrive(bound: Bound, worker: number): void {
    const queue = this.#queues[worker] ?? [];
    if (this.world.busy(worker) >= this.world.shape.slots) {
      queue.push(bound);
      return;
    }
    this.world.run(bound.job, worker, () => {
      this.ended(bound.balancer, worker);
      const next = queue.shift();
      if (next) this.#arrive(next, worker);
    });
  }
}

class TwoChoices extends EarlyBinding {
  readonly #inFlight = Array.from({ length: this.world.shape.balancers }, () =>
    Array.from({ length: this.world.shape.workers }, () => 0),
  );

  protected pick: Pick = (balancer) => {
    const { random } = this.world.simulation;
    const { workers } = this.world.shape;
    const first = random.integer(workers);
    const second = (first + 1 + random.integer(workers - 1)) % workers;
    return this.#of(balancer, first) <= this.#of(balancer, second) ? first : second;
  };

  protected sent(balancer: number, worker: number): void {
    this.#add(balancer, worker, 1);
  }

  protected ended(balancer: number, worker: number): void {
    this.#add(balancer, worker, -1);
  }

  #of(balancer: number, worker: number): number {
    return this.#inFlight[balancer]?.[worker] ?? 0;
  }

  #add(balancer: number, worker: number, jobs: number): void {
    const counts = this.#inFlight[balancer];
    if (counts) counts[worker] = this.#of(balancer, worker) + jobs;
  }
}

/** Between two reports of a worker, milliseconds; each has its own moment. */
const reportMs = 1_000;

class StaleLeastConnections extends EarlyBinding {
  readonly #view = Array.from({ length: this.world.shape.workers }, () => 0);

  constructor(world: World) {
    super(world);
    const { simulation, shape } = world;
    for (const [worker] of this.#view.entries()) {
      simulation.every(reportMs, simulation.random.next() * reportMs, () => {
        this.#view[worker] = this.loadOf(worker);
        world.messages += shape.balancers;
        return true;
      });
    }
  }

  protected pick: Pick = () => {
    const least = Math.min(...this.#view);
    const equals = this.#view.flatMap((load, worker) => (load === least ? [worker] : []));
    return equals[this.world.simulation.random.integer(equals.length)] ?? 0;
  };

  protected sent(): void {
    // The view is what was reported: own dispatches since do not count.
  }

  protected ended(): void {
    // As above.
  }
}

export const twoChoices: DesignFactory = (world) => new TwoChoices(world);
export const staleLeastConnections: DesignFactory = (world) => new StaleLeastConnections(world);
