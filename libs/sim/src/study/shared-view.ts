/**
 * The fleet's protocol on its real cores: every balancer sees every stored job, workers deal their free
 * slots to the balancers that they hear, the claim decides. With `standbys` only one balancer is heard,
 * and therefore dealt to, at a time: the design with an active balancer and hot standbys.
 */
import {
  BalancerCore,
  type CoreEffect,
  type CoreEvent,
  defaultCoreLimits,
  rendezvousWeight,
  WorkerCore,
  type WorkerEffect,
  type WorkerEvent,
} from '@starling/balance';
import {
  type BalancerId,
  balancerId,
  type JobId,
  type WorkerId,
  workerId,
} from '@starling/contracts';
import type { Design, DesignFactory } from './design.ts';
import { StudyLedger } from './study-ledger.ts';
import { hopMs, type StudyJob, storeMs, type World } from './world.ts';

const heartbeatMs = 250;
/** Beats missed before a standby takes over; each later standby waits one more. */
const missedBeats = 3;

interface Balancer {
  readonly id: BalancerId;
  readonly core: BalancerCore;
  alive: boolean;
  heardActiveAtMs: number;
}

/** See the module's header. */
class SharedView implements Design {
  readonly #world: World;
  readonly #standbys: boolean;
  readonly #balancers: Balancer[];
  readonly #workers: WorkerCore[];
  readonly #workerIds: WorkerId[] = [];
  readonly #workerIndex = new Map<WorkerId, number>();
  readonly #jobs = new Map<JobId, StudyJob>();
  readonly #ledger = new StudyLedger();
  #sequence = 0;
  #active = 0;

  constructor(world: World, standbys: boolean) {
    this.#world = world;
    this.#standbys = standbys;
    const { simulation, shape } = world;
    this.#balancers = Array.from({ length: shape.balancers }, (_, index) => {
      const id = balancerId.parse(`b${index}`);
      // A standby leaves what is dealt to the active one alone.
      const limits = { ...defaultCoreLimits, ...(standbys && { lieMs: Number.POSITIVE_INFINITY }) };
      const core = new BalancerCore({ self: id, random: simulation.random, limits });
      return { id, core, alive: true, heardActiveAtMs: simulation.nowMs };
    });
    this.#workers = Array.from({ length: shape.workers }, (_, index) => {
      const id = workerId.parse(`w${index}`);
      this.#workerIndex.set(id, index);
      this.#workerIds.push(id);
      const { startMs } = simulation;
      // Long in service: slow start has its own tests.
      const startedAtMs = startMs - 60_000;
      return new WorkerCore({ self: id, epoch: startMs, slots: world.slotsOf(index), startedAtMs });
    });
    for (const [index] of this.#balancers.entries()) this.#beat(index);
    for (const [index] of this.#workers.entries()) {
      const firstMs = simulation.random.next() * heartbeatMs;
      simulation.every(heartbeatMs, firstMs, () => this.#work(index, { kind: 'tick' }));
    }
  }

  submit(job: StudyJob): void {
    const { header } = job;
    this.#jobs.set(header.jobId, job);
    if (job.ephemeral) {
      this.#submitToHome(job);
      return;
    }
    const sequence = this.#sequence++;
    this.#world.messages += 2;
    this.#toBalancers({ kind: 'job_stored', header, sequence });
  }

  /** As an ingress does: the job's home alone is told. */
  #submitToHome({ header }: StudyJob): void {
    const weightOf = ({ id }: Balancer) => rendezvousWeight(header.jobId, id);
    const living = this.#balancers.filter(({ alive }) => alive);
    const [home] = living.sort((a, b) => weightOf(b) - weightOf(a));
    this.#world.messages += 2;
    this.#world.simulation.after(hopMs, () => {
      if (home) this.#balance(home, { kind: 'job_stored', header, sequence: 0 });
    });
  }

  crash(): void {
    const index = this.#standbys ? this.#active : 0;
    const balancer = this.#balancers[index];
    if (balancer) balancer.alive = false;
  }

  #beat(index: number): void {
    const { simulation } = this.#world;
    simulation.every(heartbeatMs, simulation.random.next() * heartbeatMs, () => {
      const balancer = this.#balancers[index];
      if (!balancer?.alive) return false;
      this.#balance(balancer, { kind: 'tick' });
      if (this.#standbys) this.#electOrBeat(balancer, index);
      else this.#sayAlive(balancer);
      return true;
    });
  }

  #sayAlive({ id }: Balancer): void {
    const { messages, shape } = this.#world;
    this.#world.messages = messages + shape.workers + shape.balancers - 1;
    this.#world.simulation.after(hopMs, () => {
      for (const [worker] of this.#workers.entries()) {
        this.#work(worker, { kind: 'balancer_heard', balancerId: id });
      }
      for (const peer of this.#balancers) {
        peer.heardActiveAtMs = this.#world.simulation.nowMs;
        if (!this.#standbys && peer.id !== id) {
          this.#balance(peer, { kind: 'peer_heard', balancerId: id });
        }
      }
    });
  }

  #electOrBeat(balancer: Balancer, index: number): void {
    const silentMs = this.#world.simulation.nowMs - balancer.heardActiveAtMs;
    if (silentMs >= heartbeatMs * (missedBeats + index)) this.#active = index;
    if (this.#active === index) this.#sayAlive(balancer);
  }

  #toBalancers(event: CoreEvent): void {
    this.#world.messages += this.#balancers.length;
    this.#world.simulation.after(hopMs, () => {
      for (const balancer of this.#balancers) this.#balance(balancer, event);
    });
  }

  #balance(balancer: Balancer, event: CoreEvent): void {
    if (!balancer.alive) return;
    for (const effect of balancer.core.step(event, this.#world.simulation.nowMs)) {
      this.#carryOut(balancer, effect);
    }
  }

  #carryOut(balancer: Balancer, effect: CoreEffect): void {
    const { simulation } = this.#world;
    switch (effect.kind) {
      case 'run':
        this.#ask(balancer, effect);
        break;
      case 'wake':
        simulation.after(effect.delayMs, () => this.#balance(balancer, { kind: 'tick' }));
        break;
      case 'read_ledger':
        this.#answerRead(balancer, effect.jobId);
        break;
      case 'end_failed': {
        const { jobId } = effect;
        const job = this.#jobs.get(jobId);
        if (!this.#ledger.fail(effect) || !job) break;
        this.#world.refuse(job);
        simulation.after(storeMs, () => this.#forget(jobId));
        break;
      }
      case 'wake_owner':
        // Every end here is delivered at once.
        break;
    }
  }

  #ask(balancer: Balancer, effect: Extract<CoreEffect, { kind: 'run' }>): void {
    const { jobId, workerId, sequence, attempt, previousRevision } = effect;
    const worker = this.#workerIndex.get(workerId);
    if (worker === undefined) return;
    this.#world.messages += 1;
    const peers = this.#standbys ? [] : this.#balancers.filter((one) => one !== balancer);
    this.#world.messages += peers.length;
    this.#world.simulation.after(hopMs, () => {
      const from = balancer.id;
      const took = { kind: 'peer_took', jobId, workerId, balancerId: from } as const;
      for (const peer of peers) this.#balance(peer, took);
      const request = { jobId, sequence, attempt, previousRevision, from };
      this.#work(worker, { kind: 'run_requested', ...request });
    });
  }

  #answerRead(balancer: Balancer, jobId: JobId): void {
    this.#world.messages += 2;
    this.#world.simulation.after(storeMs, () => {
      // What is forgotten was delivered, so it had ended.
      const read = this.#jobs.has(jobId) ? this.#ledger.read(jobId) : ({ kind: 'end' } as const);
      this.#balance(balancer, { kind: 'ledger_read', jobId, read });
    });
  }

  #idOf(worker: number): WorkerId {
    const id = this.#workerIds[worker];
    if (id === undefined) throw new RangeError(`no worker ${worker}`);
    return id;
  }

  #work(worker: number, event: WorkerEvent): true {
    const core = this.#workers[worker];
    for (const effect of core?.step(event, this.#world.simulation.nowMs) ?? []) {
      this.#doWork(worker, effect);
    }
    return true;
  }

  #doWork(worker: number, effect: WorkerEffect): void {
    const { simulation } = this.#world;
    switch (effect.kind) {
      case 'report':
        this.#toBalancers({ kind: 'load_report', report: effect.report });
        break;
      case 'wake':
        simulation.after(effect.delayMs, () => this.#work(worker, { kind: 'woken' }));
        break;
      case 'reply':
        this.#reply(worker, effect);
        break;
      case 'claim': {
        const { jobId } = effect;
        this.#atStore(jobId, () => {
          const answer = this.#ledger.claim(effect, this.#idOf(worker));
          this.#work(worker, { kind: 'claim_answered', jobId, answer });
        });
        break;
      }
      case 'start':
        this.#start(worker, effect.jobId);
        break;
      case 'write_end': {
        const { jobId } = effect;
        this.#atStore(jobId, () => {
          const answer = this.#ledger.end(effect, this.#idOf(worker));
          this.#work(worker, { kind: 'end_answered', jobId, answer });
        });
        break;
      }
      case 'settled':
        // The owner delivers it at once and deletes it.
        simulation.after(hopMs, () => this.#forget(effect.jobId));
        break;
      default:
        break;
    }
  }

  /** An ephemeral job stands in no store: nobody else can claim it, and nothing is asked. */
  #atStore(jobId: JobId, ask: () => void): void {
    if (this.#jobs.get(jobId)?.ephemeral) {
      ask();
      return;
    }
    this.#world.messages += 2;
    this.#world.simulation.after(storeMs, ask);
  }

  #reply(worker: number, { jobId, to, attempt, answer }: Extract<WorkerEffect, { kind: 'reply' }>) {
    this.#world.messages += 1;
    if (answer === 'lost') this.#world.lostRaces += 1;
    if (answer === 'full') this.#world.refusedFull += 1;
    const workerId = this.#idOf(worker);
    this.#world.simulation.after(hopMs, () => {
      const balancer = this.#balancers.find(({ id }) => id === to);
      if (balancer)
        this.#balance(balancer, { kind: 'run_answered', jobId, workerId, attempt, answer });
    });
  }

  #start(worker: number, jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (!job) return;
    this.#world.run(job, worker, () => {
      const { tokenEstimate: tokens } = job.header;
      const finish = { outcome: 'done', tokens, failed: false } as const;
      this.#work(worker, { kind: 'finished', jobId, finish });
    });
  }

  #forget(jobId: JobId): void {
    this.#jobs.delete(jobId);
    this.#ledger.delete(jobId);
    this.#toBalancers({ kind: 'job_gone', jobId });
  }
}

export const sharedView: DesignFactory = (world) => new SharedView(world, false);
export const activeWithStandbys: DesignFactory = (world) => new SharedView(world, true);
