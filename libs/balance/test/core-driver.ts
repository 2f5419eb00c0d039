import { seededRandom } from '@starling/clock';
import {
  type BalancerId,
  balancerId,
  type JobId,
  jobId,
  type LoadReport,
  type WorkerId,
  workerId,
} from '@starling/contracts';
import {
  BalancerCore,
  type CoreEffect,
  type CoreEvent,
  type CoreLimits,
  defaultCoreLimits,
  type QueuedJob,
} from '../src/index.ts';

export const self: BalancerId = balancerId.parse('self');
export const job = (name: string): JobId => jobId.parse(name);
export const worker = (name: string): WorkerId => workerId.parse(name);

type Run = Extract<CoreEffect, { kind: 'run' }>;

/** A balancer's core with a clock in its hand and everything it said so far. */
export class CoreDriver {
  readonly core: BalancerCore;
  nowMs = 0;
  readonly said: CoreEffect[] = [];
  readonly #limits: CoreLimits;
  readonly #sequences = new Map<WorkerId, number>();
  #stored = 0;

  constructor(limits: Partial<CoreLimits> = {}) {
    this.#limits = { ...defaultCoreLimits, ...limits };
    this.core = new BalancerCore({ self, random: seededRandom(1), limits: this.#limits });
  }

  step(event: CoreEvent): readonly CoreEffect[] {
    const effects = this.core.step(event, this.nowMs);
    this.said.push(...effects);
    return effects;
  }

  store(
    name: string,
    header: Partial<QueuedJob> = {},
    arrival?: Extract<CoreEvent, { kind: 'job_stored' }>['arrival'],
  ): readonly CoreEffect[] {
    this.#stored += 1;
    return this.step({
      kind: 'job_stored',
      sequence: this.#stored,
      ...(arrival && { arrival }),
      header: {
        jobId: job(name),
        lane: 'interactive',
        guildKey: 'g',
        userKey: `u${this.#stored}`,
        tokenEstimate: 100,
        acceptedAtMs: this.nowMs,
        deadlineAtMs: this.nowMs + 60_000,
        ...header,
      },
    });
  }

  /** A worker's report that grants us `granted` slots. */
  report(name: string, granted: number, report: Partial<LoadReport> = {}): readonly CoreEffect[] {
    const id = worker(name);
    const sequence = (this.#sequences.get(id) ?? -1) + 1;
    this.#sequences.set(id, sequence);
    const grants: LoadReport['grants'] = granted > 0 ? { [self]: granted } : {};
    return this.step({
      kind: 'load_report',
      report: {
        workerId: id,
        epoch: 1,
        sequence,
        slots: 4,
        running: [],
        draining: false,
        grants,
        ...report,
      },
    });
  }

  answer(
    run: Run,
    answer: Extract<CoreEvent, { kind: 'run_answered' }>['answer'],
  ): readonly CoreEffect[] {
    const { jobId: id, workerId: by, attempt } = run;
    return this.step({ kind: 'run_answered', jobId: id, workerId: by, attempt, answer });
  }

  /** Lets time pass, with its ticks. @returns what was said meanwhile */
  pass(durationMs: number, eachTick: () => void = () => undefined): readonly CoreEffect[] {
    const from = this.said.length;
    const untilMs = this.nowMs + durationMs;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + this.#limits.tickMs);
      eachTick();
      this.step({ kind: 'tick' });
    }
    return this.said.slice(from);
  }

  get runs(): readonly Run[] {
    return this.said.filter((effect) => effect.kind === 'run');
  }

  stateOf(name: string): string | undefined {
    return this.core.stateOf(job(name))?.kind;
  }
}
