/**
 * A balancer: takes a job when some worker has a free slot, asks the least loaded one, and goes on to
 * the next when it is refused. It binds nothing early and owns nothing: a job that it holds and does
 * not hand over comes back to the queue when it dies.
 */
import { defaultFleetViewLimits, FleetView, type WorkerLoad } from '@starling/balance';
import type { Bus, BusMessage, QueuedMessage } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  type BalancerId,
  decode,
  type ErrorCode,
  type Job,
  type JobId,
  jobContract,
  loadReportContract,
  type Result,
  subjects,
} from '@starling/contracts';
import { jobsQueue } from '@starling/jobs';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import {
  attributeNames,
  type Context,
  counter,
  type RoleTelemetry,
  SpanKind,
  telemetryFor,
} from '@starling/telemetry';
import { KeptDelivery } from '../delivery/kept-delivery.ts';
import { type DeliveryConfig, ResultDelivery } from '../delivery/result-delivery.ts';
import { watchCancels } from '../delivery/watch-cancels.ts';
import { Dispatcher } from './dispatcher.ts';
import type { HeldJob } from './held-job.ts';
import { JobIntake } from './job-intake.ts';
import { readJob } from './read-job.ts';

/** Settings of `balancerSection` and `deliverySection` that the role itself needs. */
export interface BalancerConfig extends DeliveryConfig {
  readonly maxHeld: number;
  readonly runTimeoutMs: number;
  readonly maxDeliveries: number;
}

export interface BalancerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly balancerId: BalancerId;
  readonly config: BalancerConfig;
}

/** A balancer at one moment. */
export interface BalancerSnapshot {
  /** Jobs in its hands; `waiting` of them for a free slot. */
  readonly held: number;
  readonly waiting: number;
  /** Failures that it is bringing to their clusters. */
  readonly undelivered: number;
  readonly workers: readonly WorkerLoad[];
}

export type Balancer = Drainable & { snapshot(): BalancerSnapshot };

/** A job of a newer version is offered to others after this long. */
const newerRetryMs = 5_000;

const quarantined = counter('starling.bus.quarantined');
const jobsEnded = counter('starling.jobs.ended');

/** Starts a balancer; it knows the workers from their reports, a quarter of a second later. */
export async function startBalancer(parts: BalancerParts): Promise<Balancer> {
  const balancer = new BalancerRole(parts);
  await balancer.start();
  return Object.assign(
    createDrainable({
      drain: ({ signal }) => balancer.drain(signal),
      release: () => balancer.release(),
    }),
    { snapshot: () => balancer.snapshot() },
  );
}

class BalancerRole {
  readonly #parts: BalancerParts;
  readonly #telemetry: RoleTelemetry = telemetryFor('balancer');
  readonly #view = new FleetView();
  readonly #delivery: ResultDelivery;
  readonly #dispatcher: Dispatcher;
  readonly #stack = new AsyncDisposableStack();
  #intake: JobIntake | undefined;
  #wasCancelled: (jobId: JobId) => boolean = () => false;
  /** Since when no worker serves, monotonic milliseconds. */
  #aloneSinceMs: number | undefined;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    this.#delivery = new ResultDelivery({ ...parts, telemetry: this.#telemetry });
    this.#dispatcher = new Dispatcher({
      ...parts,
      telemetry: this.#telemetry,
      runTimeoutMs: parts.config.runTimeoutMs,
      view: this.#view,
      wasCancelled: (jobId) => this.#wasCancelled(jobId),
      fail: (held, code) => this.#fail(held, code),
      onGone: () => this.#intake?.ring(),
    });
  }

  async start(): Promise<void> {
    const { bus } = this.#parts;
    const queue = await bus.openWorkQueue(jobsQueue);
    const watch = await watchCancels(bus.messaging, ({ jobId }) => this.#dispatcher.cancel(jobId));
    this.#stack.use(watch);
    this.#wasCancelled = (jobId) => watch.has(jobId);
    this.#stack.use(
      await bus.messaging.subscribe(subjects.allLoad, (message) => this.#onLoad(message)),
    );
    this.#intake = new JobIntake({
      ...this.#parts,
      queue,
      telemetry: this.#telemetry,
      room: () => this.#room(),
      onMessage: (message) => this.#onMessage(message),
    });
  }

  snapshot(): BalancerSnapshot {
    return {
      held: this.#dispatcher.held,
      waiting: this.#dispatcher.waiting,
      undelivered: this.#delivery.sending,
      workers: [...this.#view.loads(this.#parts.clock.monotonicMs())],
    };
  }

  /** Gives back what waits, hears out the workers that were asked, delivers the failures. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#intake?.stop(), this.#dispatcher.drain()]);
    await this.#delivery.idle(signal);
  }

  async release(): Promise<void> {
    await Promise.all([this.#intake?.stop(), this.#dispatcher.drain()]);
    await this.#delivery.leave();
    await this.#stack.disposeAsync();
  }

  /**
   * Jobs that may be taken now: one for each free slot that none in hand waits for. While nobody
   * serves they are taken all the same, so that somebody sees their deadlines.
   */
  #room(): number {
    const { clock, config } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (this.#delivery.full) return 0;
    const room = config.maxHeld - this.#dispatcher.held;
    if (this.#view.serving(nowMs) > 0) {
      this.#aloneSinceMs = undefined;
      return Math.min(room, this.#view.freeSlots(nowMs) - this.#dispatcher.waiting);
    }
    this.#aloneSinceMs ??= nowMs;
    return nowMs - this.#aloneSinceMs < defaultFleetViewLimits.deadAfterMs ? 0 : room;
  }

  #onLoad({ payload }: BusMessage): void {
    const decoded = decode(loadReportContract, payload);
    if (!decoded.ok) {
      quarantined.add(1, { contract: loadReportContract.name, fault: decoded.fault.kind });
      return;
    }
    const { workerId, slots } = decoded.value;
    const verdict = this.#view.report(decoded.value, this.#parts.clock.monotonicMs());
    const log = this.#telemetry.log('fleet');
    if (verdict.kind === 'refused') log.warn('worker.refused', { workerId, ...verdict });
    if (verdict.kind !== 'applied') return;
    if (verdict.newcomer) log.info('worker.joined', { workerId, slots });
    this.#dispatcher.pump();
    this.#intake?.ring();
  }

  #onMessage(message: QueuedMessage): void {
    const read = readJob(message);
    const context = this.#telemetry.contextFrom(message.headers);
    const log = this.#telemetry.log('intake');
    switch (read.kind) {
      case 'job':
        this.#take(read.job, message, context);
        return;
      case 'newer':
        log.info('job.newer', { subject: message.subject, version: read.version });
        void new KeptDelivery(this.#parts, message.receipt).giveBack(newerRetryMs);
        return;
      case 'quarantined':
        quarantined.add(1, { contract: jobContract.name, fault: read.fault.kind });
        log.error('job.quarantined', { subject: message.subject, ...read.fault });
        // Should this be lost, the message comes back and is quarantined again.
        void this.#parts.bus.settle(message.receipt, { kind: 'ack' }).catch(() => {});
        return;
    }
  }

  #take(job: Job, message: QueuedMessage, context: Context): void {
    const { clock, config } = this.#parts;
    const inHand = this.#dispatcher.find(job.jobId);
    if (inHand) {
      inHand.kept.adopt(message.receipt);
      return;
    }
    const keep = () => new KeptDelivery(this.#parts, message.receipt);
    if (this.#delivery.takeOver(job.jobId, keep)) return;
    const held: HeldJob = {
      job,
      attempt: message.deliveryCount,
      context,
      kept: keep(),
      tried: new Set(),
      waitingSinceMs: job.acceptedAtMs,
      state: 'ended',
      deadline: undefined,
      nextRound: undefined,
    };
    if (this.#wasCancelled(job.jobId)) this.#fail(held, 'cancelled');
    else if (job.deadlineAtMs <= clock.nowMs()) {
      const someone = this.#view.serving(clock.monotonicMs()) > 0;
      this.#fail(held, someone ? 'deadline_exceeded' : 'no_worker');
    } else if (held.attempt > config.maxDeliveries) this.#fail(held, 'internal');
    else this.#dispatcher.hold(held);
  }

  /** The honest failure of a job that no worker runs, by the same path as any result. */
  #fail(held: HeldJob, code: ErrorCode): void {
    const { job, attempt, context, kept } = held;
    const { clock, balancerId } = this.#parts;
    const nowMs = clock.nowMs();
    this.#telemetry.timeline(clock).record('queue', {
      startMs: held.waitingSinceMs,
      endMs: nowMs,
      parent: context,
      kind: SpanKind.CONSUMER,
      attributes: { [attributeNames.jobId]: job.jobId, [attributeNames.errorCode]: code },
    });
    jobsEnded.add(1, { role: 'balancer', ending: code });
    const log = this.#telemetry.log('dispatch');
    this.#telemetry.run(() => log.warn('job.failed', { jobId: job.jobId, code, attempt }), context);
    const result: Result = {
      jobId: job.jobId,
      attempt,
      origin: job.origin,
      acceptedAtMs: job.acceptedAtMs,
      outcome: { kind: 'failed', code, partialText: '' },
      timings: { queueMs: Math.max(0, nowMs - job.acceptedAtMs), dispatchMs: 0, llmMs: 0 },
      dispatchedBy: balancerId,
    };
    this.#delivery.deliver({ result, context }, kept);
  }
}
