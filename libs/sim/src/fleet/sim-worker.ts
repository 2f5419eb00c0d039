/** A worker process around the real core, with the truth of what it runs. */
import {
  isOwnEnd,
  type LedgerAnswer,
  WorkerCore,
  type WorkerEffect,
  type WorkerEvent,
} from '@starling/balance';
import type { JobId, WorkerId } from '@starling/contracts';
import type { Cluster } from './cluster.ts';
import { Node } from './node.ts';
import { SimCalls } from './sim-calls.ts';

const reportMs = 250;
const claimTimeoutMs = 1_000;

/** See the module's header. */
export class SimWorker {
  readonly id: WorkerId;
  readonly slots: number;
  readonly node: Node;
  readonly #cluster: Cluster;
  readonly #calls: SimCalls;
  #core: WorkerCore;

  constructor(parts: { readonly id: WorkerId; readonly slots: number }, cluster: Cluster) {
    this.id = parts.id;
    this.slots = parts.slots;
    this.#cluster = cluster;
    this.node = new Node(parts.id, cluster.simulation);
    this.#core = this.#newCore();
    this.#calls = new SimCalls(this.node, cluster, {
      ended: (callKey, characters) => this.step({ kind: 'call_ended', callKey, characters }),
      finished: (jobId, finish) => this.step({ kind: 'finished', jobId, finish }),
      poisoned: () => this.#poisoned(),
    });
    cluster.bus.attach(this.node, {
      disconnected: () => {
        // It goes on with what it runs: the claim is in the ledger, not in the connection.
      },
      connected: () => this.step({ kind: 'tick' }),
    });
  }

  get core(): WorkerCore {
    return this.#core;
  }

  /** Streams of the provider that are open: what truly runs. */
  get streams(): number {
    return this.#calls.open.size;
  }

  /** Whether a job reads a stream that is open. */
  readonly isReading = (jobId: JobId): boolean => this.#calls.isReading(jobId);

  start(): void {
    this.node.start();
    this.#calls.clear();
    this.#core = this.#newCore();
    this.node.every(reportMs, () => this.step({ kind: 'tick' }));
  }

  stop(): void {
    this.node.die();
    this.#calls.clear();
  }

  step(event: WorkerEvent): void {
    if (!this.node.alive) return;
    const { nowMs } = this.#cluster.simulation;
    this.#cluster.checker.touched(this);
    for (const effect of this.#core.step(event, nowMs)) this.#carryOut(effect);
  }

  #newCore(): WorkerCore {
    const { rules, simulation } = this.#cluster;
    const { nowMs } = simulation;
    return new WorkerCore({
      ...{ self: this.id, epoch: nowMs, slots: this.slots, startedAtMs: nowMs },
      endRule: rules.end,
    });
  }

  #carryOut(effect: WorkerEffect): void {
    const { bus, balancers, children, checker, tally } = this.#cluster;
    switch (effect.kind) {
      case 'report':
        for (const balancer of balancers.values()) {
          const { report } = effect;
          bus.send(this.node, balancer.node, () => balancer.step({ kind: 'load_report', report }));
        }
        break;
      case 'wake':
        this.node.after(effect.delayMs, () => this.step({ kind: 'woken' }));
        break;
      case 'reply': {
        const { jobId, attempt, callGone, to } = effect;
        const answer = callGone ? 'call_gone' : effect.answer;
        const balancer = balancers.get(to);
        const run = { jobId, attempt, workerId: this.id };
        if (callGone) tally.count('call was gone');
        if (balancer) bus.send(this.node, balancer.node, () => balancer.answered(run, answer));
        break;
      }
      case 'claim':
        this.#claim(effect);
        break;
      case 'start':
        checker.started(this, effect.jobId, effect.attempt);
        this.#calls.read(effect.jobId);
        break;
      case 'stop':
        this.#calls.leave(effect.jobId, 'cancelled');
        break;
      case 'forget_call':
        this.#calls.forget(effect.callKey);
        break;
      case 'write_end':
        this.#writeEnd(effect);
        break;
      case 'settled':
        for (const child of children) {
          bus.send(this.node, child.node, () => child.deliver(effect.jobId));
        }
        break;
      case 'fenced':
        tally.count('stale epoch refused');
        break;
      case 'drained':
        // Nobody drains here; that has its own tests.
        break;
    }
  }

  #claim(effect: Extract<WorkerEffect, { kind: 'claim' }>): void {
    const { bus, store, tally } = this.#cluster;
    const { jobId, attempt, callKey, previousRevision } = effect;
    this.#calls.sit(jobId, callKey);
    let open = true;
    const record = { kind: 'run', workerId: this.id, attempt } as const;
    bus.ask(
      this.node,
      () => store.write(jobId, { expected: previousRevision, record }),
      (answer) => {
        if (!open) return;
        open = false;
        if (answer.kind === 'written') {
          const { revision } = answer.entry;
          this.step({ kind: 'claim_answered', jobId, answer: { kind: 'won', revision } });
          return;
        }
        if (answer.current?.record.kind === 'end') tally.count('claim refused as ended');
        this.step({ kind: 'claim_answered', jobId, answer: { kind: 'lost' } });
        this.#calls.leave(jobId, undefined);
      },
    );
    this.node.after(claimTimeoutMs, () => {
      if (!open) return;
      open = false;
      this.step({ kind: 'claim_answered', jobId, answer: { kind: 'unknown' } });
      this.#calls.leave(jobId, undefined);
    });
  }

  #poisoned(): void {
    if (!this.node.alive) return;
    const { simulation, tally } = this.#cluster;
    tally.count('worker killed');
    this.stop();
    simulation.after(500, () => {
      if (!this.node.alive) this.start();
    });
  }

  #writeEnd(effect: Extract<WorkerEffect, { kind: 'write_end' }>): void {
    const { bus, store } = this.#cluster;
    const { jobId, attempt, revision: expected, finish } = effect;
    const { outcome } = finish;
    const record = { kind: 'end', outcome, attempt, workerId: this.id } as const;
    bus.ask(
      this.node,
      () => store.write(jobId, { expected, record }),
      (answer) => this.#endAnswered(jobId, attempt, answer),
    );
  }

  #endAnswered(jobId: JobId, attempt: number, answer: LedgerAnswer): void {
    const { tally } = this.#cluster;
    const known = this.#core.running.includes(jobId);
    if (answer.kind === 'written') {
      this.step({ kind: 'end_answered', jobId, answer: 'written' });
    } else if (isOwnEnd(answer.current, { workerId: this.id, attempt })) {
      if (known) tally.count('own end recognized');
      this.step({ kind: 'end_answered', jobId, answer: 'written' });
    } else {
      this.step({ kind: 'end_answered', jobId, answer: 'refused' });
    }
  }
}
