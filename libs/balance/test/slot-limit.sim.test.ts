import { balancerId, type JobId, jobId, workerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { WorkerCore, type WorkerEffect, type WorkerEvent } from '../src/index.ts';

const slots = 32;
const balancer = balancerId.parse('b0');
const firstTokenMs = 200;
const answerMs = 1_000;

/** A provider at one moment: how many answers it gives at full speed, and how slow it is by itself. */
interface Weather {
  readonly capacity: number;
  readonly slowness: number;
}

/** What a run came to, second by second. */
interface Run {
  readonly inFlight: readonly number[];
  readonly done: readonly number[];
}

/**
 * A worker with more work than it can take, at a provider that answers later the more it is asked at
 * once beyond its capacity, and loses some of that capacity to the crowd.
 */
function run(
  seconds: number,
  weather: (second: number) => Weather,
  bounds: { readonly slots: number; readonly minSlots?: number },
): Run {
  const core = new WorkerCore({ self: workerId.parse('w0'), epoch: 1, startedAtMs: 0, ...bounds });
  const queue: { readonly atMs: number; readonly event: WorkerEvent }[] = [];
  const inFlight: number[] = [];
  const done = Array.from({ length: seconds }, () => 0);
  let nowMs = 0;
  let jobs = 0;
  let grants = 0;
  const step = (event: WorkerEvent) => {
    for (const effect of core.step(event, nowMs)) take(effect);
  };
  const later = (delayMs: number, event: WorkerEvent) =>
    queue.push({ atMs: nowMs + delayMs, event });
  const take = (effect: WorkerEffect) => {
    if (effect.kind === 'report') grants = effect.report.grants?.[balancer] ?? 0;
    if (effect.kind === 'wake') later(effect.delayMs, { kind: 'woken' });
    if (effect.kind === 'claim') {
      const answer = { kind: 'won', revision: 1 } as const;
      later(1, { kind: 'claim_answered', jobId: effect.jobId, answer });
    }
    if (effect.kind === 'start') begin(effect.jobId);
    if (effect.kind === 'write_end') {
      later(1, { kind: 'end_answered', jobId: effect.jobId, answer: 'written' });
    }
  };
  const begin = (started: JobId) => {
    const { capacity, slowness } = weather(Math.floor(nowMs / 1000));
    const crowd = Math.max(0, core.running.length - capacity);
    const factor = slowness * (1 + crowd / capacity) * (1 + 0.01 * crowd);
    const afterMs = firstTokenMs * factor;
    later(afterMs, { kind: 'first_token', model: 'm', afterMs });
    const finish = { outcome: 'done', tokens: 1, firstTokenMs: afterMs, failed: false } as const;
    later(answerMs * factor, { kind: 'finished', jobId: started, finish });
  };
  for (; nowMs < seconds * 1000; nowMs += 1) {
    if (nowMs % 250 === 0) {
      step({ kind: 'balancer_heard', balancerId: balancer });
      step({ kind: 'tick' });
    }
    if (nowMs % 1000 === 0) inFlight.push(core.running.length);
    const due = queue.filter(({ atMs }) => atMs <= nowMs);
    queue.splice(0, queue.length, ...queue.filter(({ atMs }) => atMs > nowMs));
    for (const { event } of due) {
      step(event);
      const second = Math.floor(nowMs / 1000);
      if (event.kind === 'finished') done[second] = (done[second] ?? 0) + 1;
    }
    for (; grants > 0; grants -= 1) {
      const asked = jobId.parse(`j${jobs++}`);
      const request = { jobId: asked, sequence: 1, attempt: 1, previousRevision: undefined };
      step({ kind: 'run_requested', ...request, from: balancer });
    }
  }
  return { inFlight, done };
}

const sum = (values: readonly number[], from: number, to: number) =>
  values.slice(from, to).reduce((all, each) => all + each, 0);

describe('the limit of a worker', () => {
  it('falls within 10 s when the provider bears half as much, at 90 % of the best fixed limit [B9]', () => {
    const weather = (second: number) => ({
      capacity: second < 40 ? slots : slots / 2,
      slowness: 1,
    });
    const adaptive = run(120, weather, { slots, minSlots: 2 });
    expect(adaptive.inFlight[39]).toBe(slots);
    expect(adaptive.inFlight[50]).toBeLessThanOrEqual(0.8 * slots);
    const best = Math.max(
      ...[8, 12, 14, 16, 18, 20, 24, 32].map((fixed) =>
        sum(run(120, weather, { slots: fixed }).done, 50, 120),
      ),
    );
    expect(sum(adaptive.done, 50, 120)).toBeGreaterThanOrEqual(0.9 * best);
  });

  it('is back at all slots when the provider has recovered [B9]', () => {
    const weather = (second: number) => ({
      capacity: second >= 40 && second < 70 ? slots / 4 : slots,
      slowness: 1,
    });
    const { inFlight } = run(150, weather, { slots, minSlots: 2 });
    expect(inFlight[60]).toBeLessThanOrEqual(slots / 2);
    expect(inFlight[149]).toBeGreaterThanOrEqual(slots - 1);
  });

  it('leaves a provider alone that is slow however little it is asked [B9]', () => {
    const weather = (second: number) => ({ capacity: 1_000, slowness: second < 40 ? 1 : 3 });
    const adaptive = run(150, weather, { slots, minSlots: 2 });
    expect(Math.min(...adaptive.inFlight.slice(40))).toBeLessThan(slots);
    expect(adaptive.inFlight.slice(80)).toEqual(adaptive.inFlight.slice(80).map(() => slots));
  });
});
