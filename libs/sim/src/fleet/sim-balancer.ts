/** A balancer process around the real core: feed, heartbeats, requests with their timeouts. */
import {
  BalancerCore,
  type CoreEffect,
  type CoreEvent,
  defaultCoreLimits,
  type RunAnswer,
} from '@starling/balance';
import type { BalancerId, JobId } from '@starling/contracts';
import type { Cluster } from './cluster.ts';
import { Node } from './node.ts';
import { tellGone } from './remove-stored.ts';
import { SimDesk } from './sim-desk.ts';
import type { StoredJob } from './store.ts';

const runTimeoutMs = 1_000;
/** The stored jobs are listed again this often: the feed may have missed some. */
const listMs = 5_000;

/** See the module's header. */
export class SimBalancer {
  readonly id: BalancerId;
  readonly node: Node;
  readonly #cluster: Cluster;
  readonly desk: SimDesk;
  #core: BalancerCore;
  /** Since when it has heard what was to be heard: its own start, or its connection. */
  #listeningSinceMs = 0;
  /** Run requests without an answer, by job and attempt. */
  readonly #asking = new Set<string>();
  /** What the feed has shown and not taken back, by its place in the store. */
  readonly #known = new Map<JobId, number>();
  /** Jobs that nobody wants any more; they may be told of before the feed shows them. */
  readonly #cancelled = new Set<JobId>();
  /** Called when the last worker that was asked has answered. */
  #drained: (() => void) | undefined;

  constructor(id: BalancerId, cluster: Cluster) {
    this.id = id;
    this.#cluster = cluster;
    this.node = new Node(id, cluster.simulation);
    this.#core = this.#newCore();
    this.desk = new SimDesk(this.node, cluster, {
      stateOf: (jobId) => this.#core.stateOf(jobId),
      read: (jobId, read) => this.step({ kind: 'ledger_read', jobId, read }),
      ended: (jobId, code) => {
        if (code === 'deadline_exceeded') cluster.tally.count('deadline ended by a balancer');
        if (code === 'cancelled') cluster.tally.count('job cancelled in line');
        this.#tellOwner(jobId);
      },
      removed: (jobId) => tellGone(cluster, this.node, jobId),
    });
    cluster.bus.attach(this.node, {
      disconnected: () => this.step({ kind: 'disconnected' }),
      connected: () => {
        this.#listeningSinceMs = cluster.simulation.nowMs;
        this.step({ kind: 'connected' });
        this.#list();
      },
    });
  }

  get core(): BalancerCore {
    return this.#core;
  }

  /** How long it could hear everything, milliseconds. */
  get listeningMs(): number {
    const sinceMs = this.#cluster.simulation.nowMs - this.#listeningSinceMs;
    return Math.min(this.node.healthyMs, this.#cluster.bus.reachableMs(this.node), sinceMs);
  }

  start(): void {
    this.node.start();
    this.#core = this.#newCore();
    this.desk.clear();
    this.#asking.clear();
    this.#known.clear();
    this.#cancelled.clear();
    this.#drained = undefined;
    this.#listeningSinceMs = this.#cluster.simulation.nowMs;
    this.#list();
    this.node.every(defaultCoreLimits.tickMs, () => {
      this.step({ kind: 'tick' });
      this.#beat();
    });
    this.node.every(listMs, () => this.#list());
  }

  stop(): void {
    this.tallyUp();
    this.node.die();
  }

  /** Says goodbye, asks no worker any more, and hears out those that were asked. */
  drain(stopped: () => void): void {
    const { life } = this.node;
    this.node.do(() => {
      if (this.node.life !== life || this.#drained) return;
      this.#drained = () => {
        this.stop();
        stopped();
      };
      this.#beat();
      this.#leaveIfHeardOut();
    });
  }

  /** A question was taken back. One that a worker has is cancelled there. */
  cancel(jobId: JobId): void {
    this.#cancelled.add(jobId);
    if (this.#core.stateOf(jobId)?.kind === 'waiting') this.desk.cancel(jobId);
  }

  #leaveIfHeardOut(): void {
    if (this.#asking.size === 0) this.#drained?.();
  }

  /** The counts of the core go to the run's tally; to be called once a life. */
  tallyUp(): void {
    const { tally } = this.#cluster;
    const { counts } = this.#core;
    tally.count('job driven again', counts.redriven);
    tally.count('claim silent, asked the ledger', counts.silent);
    tally.count('run unanswered, asked the ledger', counts.unanswered);
    tally.count('grant void', counts.grantsVoid);
    tally.count('grant of a peer spent', counts.borrowed);
    tally.count('hint void', counts.hintsVoid);
    tally.count('race lost', counts.racesLost);
    tally.count('refused full', counts.refusedFull);
    tally.count('refused by a draining worker', counts.refusedDraining);
    tally.count('nobody listened', counts.absent);
    tally.count('attempts exhausted', counts.exhausted);
    tally.count('end written by a stand-in', counts.stoodIn);
    tally.count('slept through', counts.slept);
  }

  /** The feed shows a job; `lastSequence` is how many the stream ever had. */
  fed(stored: StoredJob, arrival?: 'backlog'): void {
    const { jobId } = stored.header;
    this.#known.set(jobId, stored.sequence);
    this.step({ kind: 'job_stored', ...stored, ...(arrival && { arrival }) });
    if (this.#cancelled.has(jobId)) this.cancel(jobId);
  }

  step(event: CoreEvent): void {
    if (!this.node.alive) return;
    const { checker } = this.#cluster;
    checker.touched(this);
    if (event.kind === 'job_gone') this.#known.delete(event.jobId);
    if (event.kind === 'load_report') checker.reported(this.id, event.report);
    for (const effect of this.#core.step(event, this.node.nowMs)) this.#carryOut(effect);
  }

  #newCore(): BalancerCore {
    const { simulation, rules } = this.#cluster;
    return new BalancerCore({ self: this.id, random: simulation.random, limits: rules.core });
  }

  #beat(): void {
    const { bus, balancers, workers } = this.#cluster;
    const balancerId = this.id;
    for (const peer of balancers.values()) {
      if (peer === this) continue;
      const kind = this.#drained ? 'peer_left' : 'peer_heard';
      bus.send(this.node, peer.node, () => peer.step({ kind, balancerId }));
    }
    for (const worker of workers.values()) {
      const kind = this.#drained ? 'balancer_left' : 'balancer_heard';
      bus.send(this.node, worker.node, () => worker.step({ kind, balancerId }));
    }
  }

  /** Lists what is stored: jobs that the feed did not show are news, and so are those that are gone. */
  #list(): void {
    const { bus, store, tally } = this.#cluster;
    bus.ask(
      this.node,
      () => ({ stored: [...store.jobs.values()], lastSequence: store.lastSequence }),
      ({ lastSequence, stored }) => {
        for (const job of stored) {
          if (!this.#core.stateOf(job.header.jobId)) tally.count('feed gap filled');
          this.fed(job, 'backlog');
        }
        const listed = new Set(stored.map(({ sequence }) => sequence));
        for (const [jobId, sequence] of this.#known) {
          if (sequence > lastSequence || listed.has(sequence)) continue;
          tally.count('removal found missing');
          this.step({ kind: 'job_gone', jobId });
        }
      },
    );
  }

  #carryOut(effect: CoreEffect): void {
    switch (effect.kind) {
      case 'run':
        this.#run(effect);
        break;
      case 'wake':
        this.node.after(effect.delayMs, () => this.step({ kind: 'tick' }));
        break;
      case 'read_ledger':
        this.desk.read(effect.jobId);
        break;
      case 'end_failed':
        this.desk.fail(effect);
        break;
      case 'wake_owner':
        this.#wakeOwner(effect.jobId);
        break;
    }
  }

  /** An ended job is still stored: its owner is told, unless nobody needs it there any more. */
  #wakeOwner(jobId: JobId): void {
    const { discord, tally } = this.#cluster;
    tally.count('owner woken');
    this.#tellOwner(jobId);
    if (discord.messageOf(jobId)?.collected) this.desk.remove(jobId);
  }

  #run(effect: Extract<CoreEffect, { kind: 'run' }>): void {
    if (this.#drained) return;
    const { bus, balancers, workers, checker } = this.#cluster;
    const { jobId, workerId, sequence, attempt, previousRevision, callKey, follows } = effect;
    checker.sent(this, effect);
    const key = `${jobId} ${attempt} ${workerId}`;
    this.#asking.add(key);
    const worker = workers.get(workerId);
    for (const peer of balancers.values()) {
      if (peer === this) continue;
      const took = { kind: 'peer_took', balancerId: this.id, jobId, workerId, follows } as const;
      bus.send(this.node, peer.node, () => peer.step(took));
    }
    if (worker?.node.alive) {
      const job = { jobId, sequence, attempt, previousRevision, callKey, follows };
      const request = { ...job, from: this.id };
      bus.send(this.node, worker.node, () => worker.step({ kind: 'run_requested', ...request }));
      worker.asked();
    } else {
      // A killed client's connection is gone: the server answers in its place.
      bus.ask(
        this.node,
        () => undefined,
        () => this.answered({ jobId, attempt, workerId }, 'absent'),
      );
    }
    this.node.after(runTimeoutMs, () => this.answered({ jobId, attempt, workerId }, 'silent'));
  }

  /** A worker's word on a run request, or that none came; the first counts. */
  answered(
    run: Pick<Extract<CoreEvent, { kind: 'run_answered' }>, 'jobId' | 'attempt' | 'workerId'>,
    answer: RunAnswer,
  ): void {
    if (!this.#asking.delete(`${run.jobId} ${run.attempt} ${run.workerId}`)) return;
    this.step({ kind: 'run_answered', ...run, answer });
    if (answer !== 'ok' && this.#cancelled.has(run.jobId)) this.cancel(run.jobId);
    this.#leaveIfHeardOut();
  }

  /** The peers hear it too. */
  #tellOwner(jobId: JobId): void {
    const { balancers, bus, children } = this.#cluster;
    for (const peer of balancers.values()) {
      if (peer === this) continue;
      bus.send(this.node, peer.node, () => peer.step({ kind: 'job_ended', jobId }));
    }
    for (const child of children) bus.send(this.node, child.node, () => child.deliver(jobId));
  }
}
