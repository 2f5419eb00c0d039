/** Brings the jobs in a balancer's hands to workers, in the order in which they came. */
import { chooseWorker, type Explanation, type FleetView } from '@starling/balance';
import type { Random } from '@starling/clock';
import type { ErrorCode, JobId, WorkerId } from '@starling/contracts';
import { attributeNames, SpanKind } from '@starling/telemetry';
import { type AskOutcome, type AskParts, askWorker } from './ask-worker.ts';
import type { HeldJob } from './held-job.ts';

export interface DispatcherParts extends AskParts {
  readonly view: FleetView;
  readonly random: Random;
  readonly wasCancelled: (jobId: JobId) => boolean;
  /** Ends a job with an honest failure; takes its kept delivery over. */
  readonly fail: (held: HeldJob, code: ErrorCode) => void;
  /** A job left our hands. */
  readonly onGone: () => void;
}

/** A job that every worker refused is offered again after this long, plus up to as much again. */
const nextRoundMs = 50;
/** Two load reports: after a lost reply they tell whether the worker runs the job. */
const clarifyMs = 600;
/** A job whose fate stayed unknown is delivered again after this long, plus up to as much again. */
const unknownRetryMs = 1_000;

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #held = new Map<JobId, HeldJob>();
  #waiting: HeldJob[] = [];
  readonly #asking = new Set<Promise<void>>();
  #draining = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  get held(): number {
    return this.#held.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The job, if it is in our hands. */
  find(jobId: JobId): HeldJob | undefined {
    return this.#held.get(jobId);
  }

  /** Takes a job in hand. */
  hold(held: HeldJob): void {
    const { clock, view } = this.#parts;
    this.#held.set(held.job.jobId, held);
    held.deadline = clock.schedule(held.job.deadlineAtMs - clock.nowMs(), () => {
      if (held.state === 'waiting') this.#expire(held);
    });
    const holder = view.holderOf(held.job.jobId, clock.monotonicMs());
    if (holder === undefined) {
      this.#wait(held, 'last');
      this.pump();
    } else {
      // Delivered again while it runs: its worker only has to learn the new receipt.
      this.#ask(held, { workerId: holder, explanation: undefined });
    }
  }

  /** Hands over what can be handed over now. To be called whenever the view has changed. */
  pump(): void {
    const { view, clock, random } = this.#parts;
    for (const held of [...this.#waiting]) {
      if (held.state !== 'waiting') continue;
      const loads = view.loads(clock.monotonicMs());
      const choice = chooseWorker(loads, { exclude: held.tried, random });
      if (choice.kind === 'chosen') this.#ask(held, choice);
      else if (held.tried.size > 0) this.#armNextRound(held);
      // Nobody has refused this one, so no later one has a better chance.
      else return;
    }
  }

  /** The user no longer wants it. A job that a worker is being asked for is cancelled there. */
  cancel(jobId: JobId): void {
    const held = this.#held.get(jobId);
    if (held?.state === 'waiting') this.#fail(held, 'cancelled');
  }

  /** Gives back what waits and takes nothing back from now on; resolves when no worker is asked. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#waiting.map((held) => this.#giveBack(held, 0)));
    await Promise.all(this.#asking);
  }

  #ask(
    held: HeldJob,
    choice: { readonly workerId: WorkerId; readonly explanation: Explanation | undefined },
  ): void {
    const { view, clock, telemetry } = this.#parts;
    this.#leaveLine(held, 'asking');
    view.dispatched(choice.workerId, held.job.jobId);
    telemetry.timeline(clock).record('queue', {
      startMs: held.waitingSinceMs,
      endMs: clock.nowMs(),
      parent: held.context,
      kind: SpanKind.CONSUMER,
      attributes: {
        [attributeNames.jobId]: held.job.jobId,
        [attributeNames.attempt]: held.attempt,
        [attributeNames.lane]: held.job.lane,
      },
    });
    const asking = this.#dispatch(held, choice).finally(() => this.#asking.delete(asking));
    this.#asking.add(asking);
  }

  async #dispatch(
    held: HeldJob,
    choice: { readonly workerId: WorkerId; readonly explanation: Explanation | undefined },
  ): Promise<void> {
    const { view } = this.#parts;
    const { workerId } = choice;
    const outcome = await this.#clarified(held, await askWorker(this.#parts, held, choice));
    const { jobId } = held.job;
    if (outcome === 'ok' || outcome === 'running') {
      view.accepted(workerId, jobId);
      this.#gone(held);
      held.kept[Symbol.dispose]();
      return;
    }
    view.released(workerId, jobId);
    if (outcome === 'expired') this.#expire(held);
    else if (outcome === 'unknown') await this.#giveBack(held, this.#jittered(unknownRetryMs));
    else {
      held.tried.add(workerId);
      await this.#refused(held);
    }
    this.pump();
  }

  /** After a lost reply the load reports are asked, and nothing is assumed. */
  async #clarified(held: HeldJob, outcome: AskOutcome): Promise<AskOutcome> {
    if (outcome !== 'unknown') return outcome;
    const { clock, view } = this.#parts;
    await clock.sleep(clarifyMs);
    return view.holderOf(held.job.jobId, clock.monotonicMs()) === undefined ? 'unknown' : 'running';
  }

  async #refused(held: HeldJob): Promise<void> {
    if (this.#draining) return await this.#giveBack(held, 0);
    if (this.#parts.wasCancelled(held.job.jobId)) return this.#fail(held, 'cancelled');
    if (held.job.deadlineAtMs <= this.#parts.clock.nowMs()) return this.#expire(held);
    held.waitingSinceMs = this.#parts.clock.nowMs();
    this.#wait(held, 'first');
  }

  #wait(held: HeldJob, place: 'first' | 'last'): void {
    held.state = 'waiting';
    if (place === 'first') this.#waiting.unshift(held);
    else this.#waiting.push(held);
  }

  #armNextRound(held: HeldJob): void {
    held.nextRound ??= this.#parts.clock.schedule(this.#jittered(nextRoundMs), () => {
      held.nextRound = undefined;
      held.tried.clear();
      this.pump();
    });
  }

  #expire(held: HeldJob): void {
    const { view, clock } = this.#parts;
    const someone = view.serving(clock.monotonicMs()) > 0;
    this.#fail(held, someone ? 'deadline_exceeded' : 'no_worker');
  }

  #fail(held: HeldJob, code: ErrorCode): void {
    this.#gone(held);
    this.#parts.fail(held, code);
  }

  async #giveBack(held: HeldJob, delayMs: number): Promise<void> {
    this.#gone(held);
    await held.kept.giveBack(delayMs);
  }

  #gone(held: HeldJob): void {
    this.#leaveLine(held, 'ended');
    held.deadline?.[Symbol.dispose]();
    this.#held.delete(held.job.jobId);
    this.#parts.onGone();
  }

  #leaveLine(held: HeldJob, state: 'asking' | 'ended'): void {
    if (held.state === 'waiting') this.#waiting = this.#waiting.filter((other) => other !== held);
    held.state = state;
    held.nextRound?.[Symbol.dispose]();
    held.nextRound = undefined;
  }

  #jittered(ms: number): number {
    return ms * (1 + this.#parts.random.next());
  }
}
