/**
 * A balancer: the shell around {@link BalancerCore}. It sees the headers of all stored jobs, hands the
 * fair head to a worker that granted it a slot, and owns nothing: whatever it believes, the claim in
 * the ledger decides, and another balancer sees the same jobs when it dies.
 */
import {
  BalancerCore,
  type CoreEffect,
  type CoreEvent,
  defaultCoreLimits,
  strategyNamed,
} from '@starling/balance';
import type { BusMessage, StoredMessage } from '@starling/bus';
import {
  type BalancerHeartbeat,
  type JobId,
  jobId as jobIdSchema,
  type LoadReport,
} from '@starling/contracts';
import { createDrainable } from '@starling/lifecycle';
import { type RoleTelemetry, telemetryFor } from '@starling/telemetry';
import { type Jobs, openJobs } from '../delivery/open-jobs.ts';
import { publisherOf } from '../delivery/publisher.ts';
import { steadyTime } from '../delivery/steady-time.ts';
import { watchCancels } from '../delivery/watch-cancels.ts';
import { askWorker, type EffectOf } from './ask-worker.ts';
import type { Balancer, BalancerParts, BalancerSnapshot } from './balancer-parts.ts';
import { Burials } from './burials.ts';
import { ClockWatch } from './clock-watch.ts';
import { coreLimitsOf } from './core-limits.ts';
import { hearFleet } from './hear-fleet.ts';
import { Heart } from './heartbeat.ts';
import { LedgerDesk } from './ledger-desk.ts';
import { OutlookTeller } from './outlook-teller.ts';
import type { QueuedWork } from './queued-work.ts';
import { ScalingDesk } from './scaling-desk.ts';
import { storedWork } from './stored-work.ts';
import type { Submission } from './submissions.ts';
import { SubmitDesk } from './submit-desk.ts';
import { WakeTimers } from './wake-timers.ts';
import { WorkerRoster } from './worker-roster.ts';

/** Starts a balancer; workers deal it slots once they have heard it, a quarter of a second later. */
export async function startBalancer(parts: BalancerParts): Promise<Balancer> {
  const balancer = new BalancerRole(parts, await openJobs(parts));
  await balancer.start();
  return Object.assign(
    createDrainable({ drain: () => balancer.drain(), release: () => balancer.release() }),
    { snapshot: () => balancer.snapshot() },
  );
}

class BalancerRole {
  readonly #parts: BalancerParts;
  readonly #jobs: Jobs;
  readonly #telemetry: RoleTelemetry = telemetryFor('balancer');
  readonly #core: BalancerCore;
  readonly #desk: LedgerDesk;
  readonly #submits: SubmitDesk;
  readonly #outlooks: OutlookTeller;
  readonly #roster: WorkerRoster;
  readonly #clocks: ClockWatch;
  readonly #now: () => number;
  readonly #heart: Heart;
  readonly #scaling: ScalingDesk;
  readonly #works = new Map<JobId, QueuedWork>();
  readonly #asking = new Set<Promise<void>>();
  readonly #wakes: WakeTimers;
  readonly #burials: Burials;
  readonly #stack = new AsyncDisposableStack();
  #wasCancelled: (jobId: JobId) => boolean = () => false;
  #timer: Disposable | undefined;
  #connected = true;
  /** Of the feed: what it tells while it is read was there before. */
  #feed: 'new' | 'reading_anew' | 'live' = 'new';
  #draining = false;

  constructor(parts: BalancerParts, jobs: Jobs) {
    const { balancerId, bus, clock, config, random } = parts;
    this.#parts = parts;
    this.#jobs = jobs;
    this.#now = steadyTime(clock);
    const watch = { clock, now: this.#now, log: this.#telemetry.log('fleet') };
    this.#roster = new WorkerRoster(watch);
    this.#clocks = new ClockWatch(watch);
    this.#burials = new Burials({ jobs, clock, telemetry: this.#telemetry });
    this.#wakes = new WakeTimers(clock, () => this.#step({ kind: 'tick' }));
    const strategy = strategyNamed(config.strategy);
    const limits = coreLimitsOf(config);
    this.#core = new BalancerCore({ self: balancerId, random, strategy, limits });
    this.#desk = new LedgerDesk({
      ...{ jobs, clock, random, balancerId, config },
      ...{ messaging: bus.messaging, telemetry: this.#telemetry },
      step: (event) => this.#step(event),
      stateOf: (jobId) => this.#core.stateOf(jobId),
      isAlone: () => !this.#roster.anyServing,
      forget: (jobId) => this.#forget(jobId),
    });
    const publish = publisherOf(bus.messaging, this.#telemetry.log('fleet'));
    const shared = { core: this.#core, works: this.#works, now: this.#now, publish };
    this.#scaling = new ScalingDesk({ ...shared, clock, config, roster: this.#roster });
    const told = { roster: this.#roster, scaling: this.#scaling };
    this.#heart = new Heart({ balancerId, clock, publish, ...told });
    this.#outlooks = new OutlookTeller(shared);
    this.#submits = new SubmitDesk({
      ...{ ...shared, balancerId, clock, roster: this.#roster, telemetry: this.#telemetry },
      perform: (effect) => this.#perform(effect),
      forget: (jobId) => this.#forget(jobId),
    });
  }

  async start(): Promise<void> {
    const { balancerId, bus } = this.#parts;
    const watch = await watchCancels(bus.messaging, ({ jobId }) => this.#cancel(jobId));
    this.#stack.use(watch);
    this.#wasCancelled = (jobId) => watch.has(jobId);
    this.#stack.use(
      await hearFleet(bus.messaging, balancerId, {
        load: (report) => this.#onLoad(report),
        heartbeat: (heartbeat) => this.#onHeartbeat(heartbeat),
        took: (took) => {
          if (took.balancerId !== balancerId) this.#step({ kind: 'peer_took', ...took });
        },
        released: ({ jobId }) => this.#step({ kind: 'job_released', jobId }),
        ended: ({ jobId, stored }) => {
          if (this.#isStoredAs(jobId, stored)) this.#step({ kind: 'job_ended', jobId });
        },
        submitted: (submission, message) => this.#onSubmit(submission, message),
      }),
    );
    this.#stack.use(
      await this.#jobs.store.feed({
        reading: () => {
          if (this.#feed === 'live') this.#feed = 'reading_anew';
        },
        stored: (message) => this.#onStored(message),
        gone: (message) => this.#onGone(message),
        synced: () => this.#onSynced(),
      }),
    );
    this.#tick();
  }

  snapshot(): BalancerSnapshot {
    const { tracked, waiting } = this.#core;
    const workers = [...this.#roster.loads()];
    return { tracked, waiting, workers, scaling: this.#scaling.signal };
  }

  /** Says goodbye, gives back what only it has, and hears out the workers that were asked. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#submits.closed = true;
    this.#heart.beat({ draining: this.#draining });
    for (const work of this.#works.values()) {
      const waits = this.#core.stateOf(work.jobId)?.kind === 'waiting';
      if (waits && work.body.kind === 'inline') this.#submits.giveBack(work, 'draining');
    }
    await Promise.all(this.#asking);
  }

  async release(): Promise<void> {
    await this.drain();
    this.#timer?.[Symbol.dispose]();
    this.#wakes[Symbol.dispose]();
    await this.#stack.disposeAsync();
  }

  #tick(): void {
    this.#timer = this.#parts.clock.schedule(defaultCoreLimits.tickMs, () => this.#tick());
    this.#heart.beat({ draining: this.#draining });
    const connected = this.#parts.bus.state === 'connected';
    if (connected !== this.#connected)
      this.#step({ kind: connected ? 'connected' : 'disconnected' });
    this.#connected = connected;
    this.#burials.look();
    this.#clocks.look();
    this.#scaling.look();
    this.#step({ kind: 'tick' });
    if (connected && !this.#draining) this.#outlooks.tell();
  }

  #step(event: CoreEvent): void {
    for (const effect of this.#core.step(event, this.#now())) this.#perform(effect);
  }

  #perform(effect: CoreEffect): void {
    if (effect.kind === 'wake') {
      this.#wakes.wakeIn(effect.delayMs);
      return;
    }
    const work = this.#works.get(effect.jobId);
    if (work) this.#performFor(work, effect);
  }

  #performFor(work: QueuedWork, effect: Exclude<CoreEffect, { kind: 'wake' }>): void {
    switch (effect.kind) {
      case 'run':
        this.#run(work, effect);
        break;
      case 'read_ledger':
        if (work.body.kind === 'inline') this.#submits.giveBack(work, 'worker_lost');
        else this.#desk.read(work);
        break;
      case 'end_failed':
        this.#desk.fail(work, effect);
        break;
      case 'wake_owner':
        this.#desk.wake(work);
        break;
    }
  }

  #onStored(message: StoredMessage): void {
    // What was there before says nothing about the time.
    const isLive = this.#feed === 'live';
    const parts = { telemetry: this.#telemetry, burials: this.#burials };
    const stored = storedWork(message, isLive ? { ...parts, clocks: this.#clocks } : parts);
    if (!stored) return;
    const { header, sequence, work } = stored;
    const { jobId } = work;
    this.#works.set(jobId, work);
    // A job that was stored anew under its name is another message: the old one is forgotten first.
    this.#step({ kind: 'job_gone', jobId });
    const fed = { kind: 'job_stored', header, sequence } as const;
    this.#step(isLive ? fed : { ...fed, arrival: 'backlog' });
    if (this.#wasCancelled(jobId)) this.#cancel(jobId);
  }

  #onGone({ sequence, subject }: Pick<StoredMessage, 'sequence' | 'subject'>): void {
    const parsed = jobIdSchema.safeParse(subject.split('.').at(-1));
    if (parsed.success && this.#isStoredAs(parsed.data, sequence)) this.#forget(parsed.data);
  }

  #isStoredAs(jobId: JobId, sequence: number): boolean {
    const body = this.#works.get(jobId)?.body;
    return body?.kind === 'stored' && body.sequence === sequence;
  }

  /** The feed was read anew: for a while nothing was heard, and the reports of others may be late too. */
  #onSynced(): void {
    if (this.#feed !== 'new') {
      this.#step({ kind: 'disconnected' });
      this.#step({ kind: 'connected' });
    }
    this.#feed = 'live';
  }

  #onLoad(report: LoadReport): void {
    const { atMs, ended = [], workerId } = report;
    this.#roster.heard(report);
    if (atMs !== undefined) this.#clocks.heard(`worker ${workerId}`, atMs);
    this.#step({ kind: 'load_report', report });
    for (const { jobId } of ended) {
      if (this.#works.get(jobId)?.body.kind === 'inline') this.#forget(jobId);
    }
  }

  #onHeartbeat(heartbeat: BalancerHeartbeat): void {
    const { balancerId, draining } = heartbeat;
    if (balancerId === this.#parts.balancerId) return;
    this.#scaling.heard(heartbeat);
    this.#step({ kind: draining ? 'peer_left' : 'peer_heard', balancerId });
  }

  #onSubmit(submission: Submission | undefined, message: BusMessage): void {
    const jobId = this.#submits.answer(submission, message);
    if (jobId !== undefined && this.#wasCancelled(jobId)) this.#cancel(jobId);
  }

  #run(work: QueuedWork, run: EffectOf<'run'>): void {
    if (this.#draining) return;
    const asking = this.#ask(work, run).finally(() => this.#asking.delete(asking));
    this.#asking.add(asking);
  }

  async #ask(work: QueuedWork, run: EffectOf<'run'>): Promise<void> {
    const { balancerId, bus, clock, config } = this.#parts;
    const parts = { ...config, clock, balancerId, telemetry: this.#telemetry };
    const answer = await askWorker({ ...parts, messaging: bus.messaging }, work, run);
    const { attempt, jobId, workerId } = run;
    if (answer !== 'ok') work.waitingSinceMs = clock.nowMs();
    this.#step({ kind: 'run_answered', jobId, workerId, attempt, answer });
    if (answer !== 'ok' && this.#wasCancelled(jobId)) this.#cancel(jobId);
  }

  /** A waiting job that nobody wants any more. One that a worker has is cancelled there. */
  #cancel(jobId: JobId): void {
    const work = this.#works.get(jobId);
    if (!work || this.#core.stateOf(jobId)?.kind !== 'waiting') return;
    if (work.body.kind === 'inline') this.#forget(jobId);
    else this.#desk.cancel(work);
  }

  #forget(jobId: JobId): void {
    this.#works.delete(jobId);
    this.#step({ kind: 'job_gone', jobId });
  }
}
