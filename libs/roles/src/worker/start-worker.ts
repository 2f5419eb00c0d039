/**
 * A worker: takes a job when it has a free slot, streams the answer, delivers the result, and only
 * then is the job acknowledged. A slot is held until the last token and not until the result is
 * delivered: a cluster that is away costs no capacity.
 */
import type { Bus, BusMessage } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  decode,
  encode,
  type JobId,
  type Result,
  type RunReply,
  type RunRequest,
  runReplyContract,
  runRequestContract,
  subjects,
  type WorkerId,
} from '@starling/contracts';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import type { Provider } from '@starling/llm';
import { type Context, counter, type RoleTelemetry, telemetryFor } from '@starling/telemetry';
import { KeptDelivery } from '../delivery/kept-delivery.ts';
import { type DeliveryConfig, ResultDelivery } from '../delivery/result-delivery.ts';
import { watchCancels } from '../delivery/watch-cancels.ts';
import { type Answer, answerJob, type StopReason } from './answer-job.ts';
import { LoadReporter } from './load-reporter.ts';

/** Settings of `workerSection` and `deliverySection` that the role itself needs. */
export interface WorkerConfig extends DeliveryConfig {
  readonly slots: number;
  readonly reportEveryMs: number;
  readonly coalesceMs: number;
}

export interface WorkerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly provider: Provider;
  readonly workerId: WorkerId;
  readonly config: WorkerConfig;
}

/** A worker at one moment. */
export interface WorkerSnapshot {
  readonly slots: number;
  readonly running: readonly JobId[];
  readonly undelivered: number;
  readonly draining: boolean;
}

export type Worker = Drainable & { snapshot(): WorkerSnapshot };

/** One job in a slot. */
interface Running {
  readonly kept: KeptDelivery;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const quarantined = counter('starling.bus.quarantined');
const jobsEnded = counter('starling.jobs.ended');

/** Starts a worker; it is known to the balancers from its first load report on. */
export async function startWorker(parts: WorkerParts): Promise<Worker> {
  const worker = new WorkerRole(parts);
  await worker.start();
  return Object.assign(
    createDrainable({
      drain: ({ signal }) => worker.drain(signal),
      release: () => worker.release(),
    }),
    { snapshot: () => worker.snapshot() },
  );
}

class WorkerRole {
  readonly #parts: WorkerParts;
  readonly #telemetry: RoleTelemetry = telemetryFor('worker');
  readonly #slots: number;
  readonly #running = new Map<JobId, Running>();
  readonly #delivery: ResultDelivery;
  readonly #reporter: LoadReporter;
  readonly #stack = new AsyncDisposableStack();
  #wasCancelled: (jobId: JobId) => boolean = () => false;
  #draining = false;

  constructor(parts: WorkerParts) {
    const { bus, clock, workerId, config, provider } = parts;
    this.#parts = parts;
    // A slot without a connection would be a hidden queue in front of the pool.
    this.#slots = Math.min(config.slots, provider.maxConcurrent);
    this.#delivery = new ResultDelivery({ ...parts, telemetry: this.#telemetry });
    this.#reporter = new LoadReporter({
      messaging: bus.messaging,
      clock,
      workerId,
      everyMs: config.reportEveryMs,
      read: () => ({
        slots: this.#offered,
        running: [...this.#running.keys()],
        draining: this.#draining,
      }),
    });
  }

  async start(): Promise<void> {
    const { bus, workerId } = this.#parts;
    const watch = await watchCancels(bus.messaging, ({ jobId }) => this.#stop(jobId, 'cancelled'));
    this.#stack.use(watch);
    this.#wasCancelled = (jobId) => watch.has(jobId);
    this.#stack.use(
      await bus.messaging.subscribe(subjects.run(workerId), (message) => this.#onRun(message)),
    );
    this.#stack.use(this.#reporter);
    this.#reporter.report();
  }

  snapshot(): WorkerSnapshot {
    return {
      slots: this.#slots,
      running: [...this.#running.keys()],
      undelivered: this.#delivery.sending,
      draining: this.#draining,
    };
  }

  /** Finishes and delivers what streams; at the signal the rest goes to other workers. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    this.#reporter.report();
    const onAbort = () => this.#stopAll();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    await this.#allEnded();
    signal.removeEventListener('abort', onAbort);
    await this.#delivery.idle(signal);
  }

  async release(): Promise<void> {
    this.#draining = true;
    this.#stopAll();
    await this.#allEnded();
    await this.#delivery.leave();
    this.#reporter.report();
    await this.#stack.disposeAsync();
  }

  /** Slots that we offer: none beyond the running ones while results pile up. */
  get #offered(): number {
    return this.#delivery.full ? Math.min(this.#slots, this.#running.size) : this.#slots;
  }

  #onRun(message: BusMessage): void {
    const decoded = decode(runRequestContract, message.payload);
    if (!decoded.ok) {
      const fault = decoded.fault.kind;
      quarantined.add(1, { contract: runRequestContract.name, fault });
      this.#telemetry.log('worker').warn('run_request.malformed', { ...decoded.fault });
      this.#reply(message, 'invalid');
      return;
    }
    this.#reply(message, this.#take(decoded.value, this.#telemetry.contextFrom(message.headers)));
  }

  /** Decides on a job and, when it is taken, starts it. The report goes out before the reply. */
  #take(request: RunRequest, context: Context): RunReply['kind'] {
    const { job, receipt } = request;
    const running = this.#running.get(job.jobId);
    if (running) {
      running.kept.adopt(receipt);
      return 'running';
    }
    const keep = () => new KeptDelivery(this.#parts, receipt);
    if (this.#delivery.takeOver(job.jobId, keep)) return 'running';
    if (this.#draining) return 'draining';
    if (job.deadlineAtMs <= this.#parts.clock.nowMs()) return 'expired';
    if (this.#running.size >= this.#offered) return 'full';
    const stop = new AbortController();
    if (this.#wasCancelled(job.jobId)) stop.abort('cancelled' satisfies StopReason);
    const kept = keep();
    const takenAtMs = this.#parts.clock.nowMs();
    const ended = this.#run(request, { context, kept, stop: stop.signal, takenAtMs });
    this.#running.set(job.jobId, { kept, stop, ended });
    this.#reporter.report();
    return 'ok';
  }

  async #run(
    request: RunRequest,
    run: {
      readonly context: Context;
      readonly kept: KeptDelivery;
      readonly stop: AbortSignal;
      readonly takenAtMs: number;
    },
  ): Promise<void> {
    const { bus, config } = this.#parts;
    // The reply goes out first: the provider's dialogue begins in a turn of its own.
    await Promise.resolve();
    const answer = await answerJob(
      {
        ...this.#parts,
        messaging: bus.messaging,
        telemetry: this.#telemetry,
        coalesceMs: config.coalesceMs,
      },
      request,
      { signal: run.stop, parent: run.context },
    );
    this.#running.delete(request.job.jobId);
    if (answer.kind === 'left') {
      await run.kept.giveBack(0);
    } else {
      const { outcome } = answer;
      jobsEnded.add(1, { role: 'worker', ending: outcome.kind === 'done' ? 'done' : outcome.code });
      const result = this.#resultOf(request, answer, run.takenAtMs);
      this.#delivery.deliver({ result, context: run.context }, run.kept);
    }
    this.#reporter.report();
  }

  #resultOf(
    { job, attempt, dequeuedAtMs, dispatchedBy }: RunRequest,
    { outcome, llmMs, firstTokenMs }: Extract<Answer, { kind: 'ended' }>,
    takenAtMs: number,
  ): Result {
    return {
      jobId: job.jobId,
      attempt,
      origin: job.origin,
      acceptedAtMs: job.acceptedAtMs,
      outcome,
      timings: {
        // The clocks of two hosts may differ by more than the time between them.
        queueMs: Math.max(0, dequeuedAtMs - job.acceptedAtMs),
        dispatchMs: Math.max(0, takenAtMs - dequeuedAtMs),
        llmMs,
        ...(firstTokenMs !== undefined && { firstTokenMs }),
      },
      dispatchedBy,
      servedBy: this.#parts.workerId,
    };
  }

  #reply(message: BusMessage, kind: RunReply['kind']): void {
    const reply = { kind, slots: this.#slots, inFlight: this.#running.size };
    try {
      message.respond(encode(runReplyContract, reply));
    } catch (error) {
      // The balancer's timeout, and then our load report, tell it what it needs to know.
      this.#telemetry.log('worker').debug('run_reply.unsent', { error });
    }
  }

  #stop(jobId: JobId, reason: StopReason): void {
    this.#running.get(jobId)?.stop.abort(reason);
  }

  #stopAll(): void {
    for (const jobId of this.#running.keys()) this.#stop(jobId, 'left');
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }
}
