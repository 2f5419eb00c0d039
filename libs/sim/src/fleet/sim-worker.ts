/** A worker process around the real core, with the truth of what it runs. */
import {
  isOwnEnd,
  type LedgerAnswer,
  WorkerCore,
  type WorkerEffect,
  type WorkerEvent,
} from '@starling/balance';
import type { JobId, WorkerId } from '@starling/contracts';
import { killRemover } from './apply-faults.ts';
import type { Cluster } from './cluster.ts';
import { Node } from './node.ts';
import { tellGone } from './remove-stored.ts';
import { SimCalls } from './sim-calls.ts';

const reportMs = 250;
const claimTimeoutMs = 1_000;
const worstWithinMs = 1_000;
/** A drain ends after this long. */
const drainMs = 12_000;

/** See the module's header. */
export class SimWorker {
  readonly id: WorkerId;
  readonly slots: number;
  readonly node: Node;
  readonly #cluster: Cluster;
  readonly #calls: SimCalls;
  #core: WorkerCore;
  readonly #cancelled = new Set<JobId>();
  #drainsNext: (() => void) | undefined;
  /** While it drains: what it had before, and what to do when that is done. */
  #draining: { readonly had: ReadonlySet<JobId>; readonly stopped: () => void } | undefined;

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
    this.#cancelled.clear();
    this.#draining = undefined;
    this.#drainsNext = undefined;
    this.#core = this.#newCore();
    this.node.every(reportMs, () => this.step({ kind: 'tick' }));
  }

  stop(): void {
    this.node.die();
    this.#calls.clear();
  }

  step(event: WorkerEvent): void {
    if (!this.node.alive) return;
    this.#cluster.checker.touched(this);
    if (event.kind === 'cancel_requested') this.#cancelled.add(event.jobId);
    for (const effect of this.#core.step(event, this.node.nowMs)) this.#carryOut(effect);
    // A cancel may overtake its job.
    if (event.kind !== 'run_requested' || !this.#cancelled.has(event.jobId)) return;
    this.step({ kind: 'cancel_requested', jobId: event.jobId });
  }

  /**
   * Takes nothing new, finishes what it has, and stops; after a while it stops all the same. It begins
   * at the worst moment, while a request is on its way, or after a while without one.
   */
  drain(stopped: () => void): void {
    this.#drainsNext = stopped;
    this.node.after(worstWithinMs, () => this.asked());
  }

  /** A request is on its way to it. */
  asked(): void {
    const stopped = this.#drainsNext;
    this.#drainsNext = undefined;
    if (!stopped) return;
    const { life } = this.node;
    this.node.do(() => {
      if (this.node.life !== life) return;
      this.#draining = { had: new Set([...this.#core.running, ...this.#core.following]), stopped };
      this.node.after(drainMs, () => this.#drained());
      this.step({ kind: 'drain' });
    });
  }

  #drained(): void {
    const { stopped } = this.#draining ?? {};
    this.stop();
    stopped?.();
  }

  #newCore(): WorkerCore {
    const { rules, simulation } = this.#cluster;
    // Before its first start it is nobody.
    const nowMs = this.node.alive ? this.node.nowMs : simulation.nowMs;
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
        if (this.#draining && !this.#draining.had.has(effect.jobId)) {
          checker.violated('who drains takes nothing new', `${this.id} starts ${effect.jobId}`);
        }
        this.#calls.read(effect.jobId);
        break;
      case 'stop':
        tally.count('job cancelled in its run');
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
        this.#remove(effect.jobId);
        break;
      case 'fenced':
        tally.count('stale epoch refused');
        break;
      case 'drained':
        if (this.streams > 0) {
          const detail = `${this.id} is drained with ${this.streams} streams`;
          checker.violated('who drains takes nothing new', detail);
        }
        if ((this.#draining?.had.size ?? 0) > 0) tally.count('drained to the last job');
        this.node.after(0, () => this.#drained());
        break;
    }
  }

  /** What is collected from the ledger need not be stored any more; what is left a balancer removes. */
  #remove(jobId: JobId): void {
    const { bus, discord, simulation, store } = this.#cluster;
    if (!discord.messageOf(jobId)?.collected || killRemover(this.#cluster, this)) return;
    bus.ask(
      this.node,
      () => store.delete(jobId, simulation.nowMs),
      () => tellGone(this.#cluster, this.node, jobId),
    );
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
