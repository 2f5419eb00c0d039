/**
 * A worker: the shell around {@link WorkerCore}. Messages of the bus become events, effects become
 * calls to the ledger, the provider and the bus. A stored job is claimed before it is run, and its end
 * is written over that claim; an ephemeral one has neither, and its result goes to its ingress.
 */
import {
  type FirstToken,
  WorkerCore,
  type WorkerEffect,
  type WorkerEvent,
} from '@starling/balance';
import type { BusMessage } from '@starling/bus';
import { type JobId, subjects } from '@starling/contracts';
import { createDrainable } from '@starling/lifecycle';
import { counter, type RoleTelemetry, telemetryFor } from '@starling/telemetry';
import { type Jobs, openJobs } from '../delivery/open-jobs.ts';
import { steadyTime } from '../delivery/steady-time.ts';
import { watchCancels } from '../delivery/watch-cancels.ts';
import type { StopReason } from './answer-job.ts';
import { askedRunIn } from './asked-run.ts';
import { hearOrders } from './hear-orders.ts';
import { runJob } from './job-runner.ts';
import { ModelWatch } from './model-watch.ts';
import { replyToRun } from './reply-to-run.ts';
import { claimRun, endRun, type RunClaimsParts } from './run-claims.ts';
import { sendReport } from './send-report.ts';
import { shareBreakers } from './share-breakers.ts';
import { SharedCalls } from './shared-calls.ts';
import { workerLimitsOf } from './worker-limits.ts';
import type { Worker, WorkerParts, WorkerSnapshot } from './worker-parts.ts';
import { leaveRun, newRun, type WorkerRun } from './worker-run.ts';

type EffectOf<Kind extends WorkerEffect['kind']> = Extract<WorkerEffect, { kind: Kind }>;

const fenced = counter('starling.jobs.fenced');

/** Starts a worker; it is known to the balancers from its first load report on. */
export async function startWorker(parts: WorkerParts): Promise<Worker> {
  const worker = new WorkerRole(parts, await openJobs(parts));
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
  readonly #jobs: Jobs;
  readonly #telemetry: RoleTelemetry = telemetryFor('worker');
  readonly #slots: number;
  readonly #core: WorkerCore;
  readonly #now: () => number;
  readonly #runs = new Map<JobId, WorkerRun>();
  readonly #calls: SharedCalls;
  readonly #stack = new AsyncDisposableStack();
  readonly #empty = Promise.withResolvers<void>();
  #wasCancelled: (jobId: JobId) => boolean = () => false;
  #timer: Disposable | undefined;
  #wake: Disposable | undefined;
  #draining = false;
  /** What cannot be written now is left to others. */
  #leaving = false;

  constructor(parts: WorkerParts, jobs: Jobs) {
    const { clock, config, provider, workerId } = parts;
    this.#parts = parts;
    this.#jobs = jobs;
    this.#now = steadyTime(clock);
    this.#calls = new SharedCalls({
      provider,
      onEnd: (ended) => this.#step({ kind: 'call_ended', ...ended }),
    });
    // A slot without a connection would be a hidden queue in front of the pool.
    this.#slots = Math.min(config.slots, provider.maxConcurrent);
    this.#core = new WorkerCore({
      self: workerId,
      epoch: clock.nowMs(),
      slots: this.#slots,
      minSlots: config.minSlots,
      startedAtMs: this.#now(),
      limits: workerLimitsOf(config),
    });
  }

  async start(): Promise<void> {
    const { bus, workerId } = this.#parts;
    const { messaging } = bus;
    const watch = await watchCancels(messaging, ({ jobId }) =>
      this.#step({ kind: 'cancel_requested', jobId }),
    );
    this.#stack.use(watch);
    this.#wasCancelled = (jobId) => watch.has(jobId);
    this.#stack.use(
      await messaging.subscribe(subjects.run(workerId), (message) => this.#onRun(message)),
    );
    this.#stack.use(
      await hearOrders(messaging, {
        heartbeat: ({ balancerId, draining }) =>
          this.#step({ kind: draining ? 'balancer_left' : 'balancer_heard', balancerId }),
        resend: (missed) => this.#runs.get(missed.jobId)?.frames?.resend(missed),
        // What it would end with is refused, so it need not go on.
        released: (released) => leaveRun(this.#runs.get(released.jobId), released),
      }),
    );
    this.#stack.use(await shareBreakers({ ...this.#parts, telemetry: this.#telemetry }));
    await this.#learnModels();
    this.#tick();
  }

  /** Before the first report, so that no balancer takes silence for an offer of any model. */
  async #learnModels(): Promise<void> {
    const { clock, config, modelSource: source } = this.#parts;
    const watch = new ModelWatch({
      ...{ clock, source, named: config.models, everyMs: config.modelsEveryMs },
      log: this.#telemetry.log('worker'),
      onKnown: (models) => this.#step({ kind: 'models_known', models }),
    });
    this.#stack.use(watch);
    await watch.start();
  }

  get #claims(): RunClaimsParts {
    const { bus, ...parts } = this.#parts;
    return { ...parts, messaging: bus.messaging, telemetry: this.#telemetry, jobs: this.#jobs };
  }

  snapshot(): WorkerSnapshot {
    const { limit, running } = this.#core;
    return { slots: this.#slots, limit, running, draining: this.#draining };
  }

  /** Finishes what streams; at the signal the rest goes to other workers. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    const onAbort = () => this.#stopAll();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#step({ kind: 'drain' });
    await this.#empty.promise;
    signal.removeEventListener('abort', onAbort);
  }

  async release(): Promise<void> {
    this.#draining = true;
    this.#leaving = true;
    this.#stopAll();
    this.#step({ kind: 'drain' });
    await this.#empty.promise;
    this.#timer?.[Symbol.dispose]();
    this.#wake?.[Symbol.dispose]();
    await this.#stack.disposeAsync();
  }

  #tick(): void {
    this.#timer = this.#parts.clock.schedule(this.#parts.config.reportEveryMs, () => this.#tick());
    const before = this.#core.limit;
    this.#step({ kind: 'tick' });
    const { limit } = this.#core;
    // One line a change: how the provider fares is told by it.
    if (limit !== before) this.#telemetry.log('worker').info('slots.limited', { limit, before });
  }

  #step(event: WorkerEvent): readonly WorkerEffect[] {
    const effects = this.#core.step(event, this.#now());
    for (const effect of effects) this.#perform(effect);
    return effects;
  }

  #perform(effect: WorkerEffect): void {
    const { bus, clock } = this.#parts;
    switch (effect.kind) {
      case 'reply':
        this.#answerAsker(effect);
        break;
      case 'claim':
        void this.#claim(effect);
        break;
      case 'start':
        void this.#run(effect);
        break;
      case 'stop':
        this.#runs.get(effect.jobId)?.stop.abort(effect.reason);
        break;
      case 'write_end':
        void this.#writeEnd(effect);
        break;
      case 'settled':
        this.#runs.delete(effect.jobId);
        break;
      case 'fenced':
        this.#fenced(effect);
        break;
      case 'forget_call':
        this.#calls.forget(effect.callKey);
        break;
      case 'report':
        sendReport(bus.messaging, { ...effect.report, atMs: clock.nowMs() }, this.#telemetry);
        break;
      case 'wake':
        this.#wakeLater(effect.delayMs);
        break;
      case 'drained':
        this.#empty.resolve();
        break;
    }
  }

  #onRun(message: BusMessage): void {
    const asked = askedRunIn(message.payload);
    if (!asked) {
      this.#telemetry.log('worker').warn('run_request.malformed');
      replyToRun(message, { kind: 'invalid' }, this.#telemetry);
      return;
    }
    const { attempt, callKey, dispatchedBy: from, follows, jobId, work } = asked.request;
    const known = this.#runs.get(jobId);
    const context = this.#telemetry.contextFrom(message.headers);
    const run = known ?? newRun({ ...asked, context, takenAtMs: this.#parts.clock.nowMs() });
    run.askers.set(from, message);
    this.#runs.set(jobId, run);
    const stored = work.kind === 'stored' ? work : undefined;
    const effects = this.#step({
      ...{ kind: 'run_requested', jobId, attempt, from, callKey, follows },
      sequence: stored?.sequence ?? 0,
      previousRevision: stored?.previousRevision,
    });
    const taken = known !== undefined || effects.some(({ kind }) => kind === 'claim');
    if (!taken) this.#runs.delete(jobId);
    else if (this.#wasCancelled(jobId)) this.#step({ kind: 'cancel_requested', jobId });
  }

  #answerAsker({ answer: kind, callGone, jobId, to }: EffectOf<'reply'>): void {
    const askers = this.#runs.get(jobId)?.askers;
    const message = askers?.get(to);
    askers?.delete(to);
    if (message) replyToRun(message, { kind, callGone }, this.#telemetry);
  }

  async #claim(effect: EffectOf<'claim'>): Promise<void> {
    const { callKey, jobId } = effect;
    const run = this.#runs.get(jobId);
    if (!run) return;
    if (callKey !== undefined) run.seat = this.#calls.sit(callKey);
    const answer = await claimRun(this.#claims, run, effect);
    this.#step({ kind: 'claim_answered', jobId, answer });
    if (answer.kind === 'won') return;
    run.seat?.leave();
    this.#runs.delete(jobId);
  }

  async #run({ attempt, jobId }: EffectOf<'start'>): Promise<void> {
    const run = this.#runs.get(jobId);
    if (!run) return;
    // The reply goes out first: the provider's dialogue begins in a turn of its own.
    await Promise.resolve();
    const { bus, clock, config, provider, workerId } = this.#parts;
    const { coalesceMs } = config;
    const io = { messaging: bus.messaging, jobs: this.#jobs, telemetry: this.#telemetry };
    const onFirstToken = (token: FirstToken) => this.#step({ kind: 'first_token', ...token });
    const parts = { ...io, clock, provider, workerId, coalesceMs, onFirstToken };
    const finish = await runJob(parts, run, attempt);
    this.#step({ kind: 'finished', jobId, finish });
  }

  async #writeEnd(effect: EffectOf<'write_end'>): Promise<void> {
    const { jobId } = effect;
    const run = this.#runs.get(jobId);
    if (!run) return;
    const answer = await endRun(this.#claims, run, effect);
    const final = answer === 'unknown' && this.#leaving ? 'refused' : answer;
    this.#step({ kind: 'end_answered', jobId, answer: final });
  }

  #fenced({ attempt, jobId }: EffectOf<'fenced'>): void {
    const run = this.#runs.get(jobId);
    this.#runs.delete(jobId);
    if (!run?.result) return;
    fenced.add(1);
    const log = this.#telemetry.log('worker');
    this.#telemetry.run(() => log.warn('job.fenced', { jobId, attempt }), run.context);
  }

  #wakeLater(delayMs: number): void {
    this.#wake?.[Symbol.dispose]();
    // A timer may fire a fraction of a millisecond early, and the core would find nothing to say.
    this.#wake = this.#parts.clock.schedule(Math.ceil(delayMs) + 1, () =>
      this.#step({ kind: 'woken' }),
    );
  }

  #stopAll(): void {
    for (const { stop } of this.#runs.values()) stop.abort('left' satisfies StopReason);
  }
}
