import { balancerId, type CallKey, jobId, type LoadReport, workerId } from '@starling/contracts';
import {
  defaultWorkerLimits,
  type JobFinish,
  WorkerCore,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerLimits,
} from '../src/index.ts';

export const [b0, b1] = [balancerId.parse('b0'), balancerId.parse('b1')];
export const id = (name: string) => jobId.parse(name);
export const finish: JobFinish = { outcome: 'done', tokens: 42, failed: false, firstTokenMs: 100 };
const longAgoMs = -60_000;

/** A worker's core with a clock in its hand and everything it said so far. */
export class WorkerDriver {
  readonly core: WorkerCore;
  nowMs = 0;
  readonly said: WorkerEffect[] = [];

  constructor(
    parts: {
      readonly slots?: number;
      readonly startedAtMs?: number;
      readonly calls?: Partial<WorkerLimits['calls']>;
    } = {},
  ) {
    this.core = new WorkerCore({
      self: workerId.parse('w'),
      epoch: 7,
      slots: parts.slots ?? 4,
      startedAtMs: parts.startedAtMs ?? longAgoMs,
      limits: { ...defaultWorkerLimits, calls: { ...defaultWorkerLimits.calls, ...parts.calls } },
    });
  }

  step(event: WorkerEvent): readonly WorkerEffect[] {
    const effects = this.core.step(event, this.nowMs);
    this.said.push(...effects);
    return effects;
  }

  hear(...balancers: readonly (typeof b0)[]): void {
    for (const one of balancers) this.step({ kind: 'balancer_heard', balancerId: one });
  }

  ask(
    name: string,
    run: {
      attempt?: number;
      previousRevision?: number;
      from?: typeof b0;
      callKey?: CallKey;
      follows?: boolean;
    } = {},
  ) {
    const { attempt = 1, previousRevision, from = b0, callKey, follows } = run;
    return this.step({
      kind: 'run_requested',
      jobId: id(name),
      sequence: 1,
      attempt,
      previousRevision,
      from,
      callKey,
      follows,
    });
  }

  win(name: string, revision = 1): readonly WorkerEffect[] {
    const answer = { kind: 'won', revision } as const;
    return this.step({ kind: 'claim_answered', jobId: id(name), answer });
  }

  finish(name: string): readonly WorkerEffect[] {
    return this.step({ kind: 'finished', jobId: id(name), finish });
  }

  end(name: string, answer: 'written' | 'refused' | 'unknown'): readonly WorkerEffect[] {
    return this.step({ kind: 'end_answered', jobId: id(name), answer });
  }

  /** The newest report, the one that a wake is on its way for included. */
  get report(): LoadReport {
    const last = this.said.findLast(({ kind }) => kind === 'report' || kind === 'wake');
    if (last?.kind === 'wake') {
      this.nowMs += last.delayMs;
      this.step({ kind: 'woken' });
    }
    return this.reports.at(-1) ?? raise('nothing was reported');
  }

  get reports(): readonly LoadReport[] {
    return this.said.flatMap((effect) => (effect.kind === 'report' ? [effect.report] : []));
  }
}

function raise(problem: string): never {
  throw new Error(problem);
}

export const but = (
  effects: readonly WorkerEffect[],
  left: readonly WorkerEffect['kind'][] = ['report', 'wake'],
) => effects.filter(({ kind }) => !left.includes(kind));
