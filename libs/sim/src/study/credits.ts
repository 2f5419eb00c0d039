/**
 * The design that was first written down: workers issue a credit for each free slot to one balancer, a
 * balancer takes a bounded window of jobs from the common FIFO and is fair within it, and one that has
 * work and no credit steals from its peers. A dead balancer's window is delivered again after the
 * queue's acknowledgement time, its credits are issued anew after their time to live.
 */
import { FairQueue } from '@starling/balance';
import type { JobId } from '@starling/contracts';
import type { Design, DesignFactory } from './design.ts';
import { hopMs, type StudyJob, type World } from './world.ts';

/** As the facts have them: credits live 5 s, and so does an unacknowledged delivery. */
const creditTtlMs = 5_000;
const ackWaitMs = 5_000;
/** What `JOBS` holds. */
const maxStored = 20_000;
/** Between two attempts to steal while work waits without a credit, milliseconds. */
const stealEveryMs = 5;

interface Balancer {
  readonly queue: FairQueue;
  readonly held: Map<JobId, StudyJob>;
  /** Workers whose credits it holds, one entry a credit. */
  credits: number[];
  alive: boolean;
  stealing: boolean;
}

class Credits implements Design {
  readonly #world: World;
  readonly #balancers: Balancer[];
  readonly #window: number;
  /** The common queue; `#head` jobs of it are gone. */
  #fifo: StudyJob[] = [];
  #head = 0;
  #turn = 0;

  constructor(world: World) {
    this.#world = world;
    const { workers, slots, balancers } = world.shape;
    // As many as there are slots for one balancer: a smaller window starves slots, a larger one is a longer FIFO.
    this.#window = Math.ceil((workers * slots) / balancers);
    this.#balancers = Array.from({ length: balancers }, () => ({
      queue: new FairQueue(),
      held: new Map(),
      credits: [],
      alive: true,
      stealing: false,
    }));
    for (let slot = 0; slot < slots; slot += 1) {
      for (let worker = 0; worker < workers; worker += 1) this.#issue(worker);
    }
  }

  submit(job: StudyJob): void {
    this.#world.messages += 2;
    this.#world.simulation.after(hopMs, () => {
      if (this.#fifo.length - this.#head >= maxStored) {
        this.#world.refuse(job);
        return;
      }
      this.#fifo.push(job);
      this.#pull();
    });
  }

  crash(): void {
    const dead = this.#balancers[0];
    if (!dead) return;
    dead.alive = false;
    const { simulation } = this.#world;
    const { credits, held } = dead;
    dead.credits = [];
    simulation.after(creditTtlMs, () => {
      for (const worker of credits) this.#issue(worker);
    });
    simulation.after(ackWaitMs, () => {
      // Delivered again before what is new, as JetStream does.
      this.#fifo = [...held.values(), ...this.#fifo.slice(this.#head)];
      this.#head = 0;
      this.#pull();
    });
  }

  #issue(worker: number): void {
    const living = this.#balancers.filter(({ alive }) => alive);
    const holder = living[this.#turn++ % living.length];
    if (!holder) return;
    this.#world.messages += 1;
    this.#world.simulation.after(hopMs, () => {
      if (!holder.alive) {
        this.#world.simulation.after(creditTtlMs, () => this.#issue(worker));
        return;
      }
      holder.credits.push(worker);
      this.#dispatch(holder);
    });
  }

  #pull(): void {
    const { simulation } = this.#world;
    const living = this.#balancers.filter(({ alive }) => alive);
    for (;;) {
      const job = this.#fifo[this.#head];
      if (!job) return;
      const roomy = living.filter(({ held }) => held.size < this.#window);
      // Those with a credit pull first: their pull requests wait at the queue.
      const eager = roomy.filter(({ credits }) => credits.length > 0);
      const choice = eager.length > 0 ? eager : roomy;
      const taker = choice[simulation.random.integer(Math.max(1, choice.length))];
      if (!taker) return;
      this.#head += 1;
      if (this.#head > 10_000) {
        this.#fifo = this.#fifo.slice(this.#head);
        this.#head = 0;
      }
      taker.held.set(job.header.jobId, job);
      this.#world.messages += 2;
      simulation.after(hopMs, () => {
        if (!taker.alive) return;
        taker.queue.add(job.header, simulation.nowMs);
        this.#dispatch(taker);
      });
    }
  }

  #dispatch(balancer: Balancer): void {
    if (!balancer.alive) return;
    const { simulation } = this.#world;
    while (balancer.credits.length > 0) {
      const head = balancer.queue.head(simulation.nowMs);
      if (!head) return;
      balancer.queue.take(head.jobId);
      const job = balancer.held.get(head.jobId);
      const drawn = simulation.random.integer(balancer.credits.length);
      const [worker] = balancer.credits.splice(drawn, 1);
      if (!job || worker === undefined) return;
      balancer.held.delete(head.jobId);
      this.#world.messages += 2;
      simulation.after(hopMs, () => this.#world.run(job, worker, () => this.#issue(worker)));
      this.#pull();
    }
    if (balancer.queue.size > 0) this.#steal(balancer);
  }

  #steal(thief: Balancer): void {
    if (thief.stealing) return;
    thief.stealing = true;
    const { simulation } = this.#world;
    this.#world.messages += this.#balancers.length - 1;
    simulation.after(hopMs, () => {
      const giver = this.#balancers.find(
        (one) => one !== thief && one.alive && one.credits.length > 0 && one.queue.size === 0,
      );
      const worker = giver?.credits.pop();
      if (worker !== undefined) this.#world.messages += 1;
      simulation.after(worker === undefined ? stealEveryMs : hopMs, () => {
        thief.stealing = false;
        if (worker !== undefined) thief.credits.push(worker);
        this.#dispatch(thief);
      });
    });
  }
}

export const creditsWithStealing: DesignFactory = (world) => new Credits(world);
