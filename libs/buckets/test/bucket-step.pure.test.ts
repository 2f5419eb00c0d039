import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketLimit } from '../src/index.ts';
import { Model } from './bucket-model.ts';

const startMs = 1_700_000_000_000;
const holdMs = 300_000;

/** A call of a provider: reserved with an estimate, and settled later to what it really used. */
interface Call {
  readonly atMs: number;
  readonly used: number;
  endMs: number;
}

const waitsMs = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
);
const steps = fc.array(
  fc.record({
    waitsMs,
    estimate: fc.integer({ min: 0, max: 110 }),
    /** Of the estimate, in hundredths. */
    share: fc.integer({ min: 0, max: 100 }),
    /** How many of the calls in flight are over first. */
    ends: fc.nat(2),
  }),
  { maxLength: 120 },
);

/** Drives calls against one limit, and says which were made. */
function drive(limit: BucketLimit, history: readonly Steps[]) {
  const model = new Model();
  const open: (Call & { readonly id: string })[] = [];
  const calls: Call[] = [];
  let nowMs = startMs;
  for (const [number, step] of history.entries()) {
    nowMs += step.waitsMs;
    for (const ended of open.splice(0, step.ends)) {
      ended.endMs = nowMs;
      const used = [{ key: 'k', limit, amount: ended.used }];
      for (let times = 0; times < 2; times += 1)
        model.run({ kind: 'settle', id: ended.id, used }, nowMs);
    }
    const id = `call-${number}`;
    const asked = [{ key: 'k', limit, amount: step.estimate }];
    const before = model.bucket({ key: 'k', limit }, nowMs);
    const reserve = { kind: 'reserve', id, holdMs, asked } as const;
    const reply = model.run(reserve, nowMs);
    if (reply.kind === 'reserved') {
      const used = Math.floor((step.estimate * step.share) / 100);
      const call = { id, atMs: nowMs, endMs: Number.POSITIVE_INFINITY, used };
      open.push(call);
      calls.push(call);
      continue;
    }
    // A refused call changes nothing, and is told exactly when it would be let through.
    expect(model.bucket({ key: 'k', limit }, nowMs)).toEqual(before);
    if (reply.kind !== 'refused' || reply.retryAfterMs === undefined) continue;
    const opensAtMs = nowMs + reply.retryAfterMs;
    expect(reply.retryAfterMs).toBeGreaterThan(0);
    expect(model.copy().run(reserve, opensAtMs - 1)).toMatchObject({ kind: 'refused' });
    expect(model.copy().run(reserve, opensAtMs)).toMatchObject({ kind: 'reserved' });
  }
  return calls;
}
type Steps = typeof steps extends fc.Arbitrary<readonly (infer One)[]> ? One : never;

/** The most in any span of this length, both ends in it. */
function fullest(calls: readonly Call[], spanMs: number, when: (call: Call) => number): number {
  const counted = calls.map((call) => ({ atMs: when(call), used: call.used }));
  return Math.max(
    0,
    ...counted.map(({ atMs: toMs }) =>
      counted
        .filter(({ atMs }) => atMs <= toMs && atMs >= toMs - spanMs)
        .reduce((total, { used }) => total + used, 0),
    ),
  );
}

describe('a window', () => {
  const windowMs = 5_000;
  const limit: BucketLimit = { kind: 'window', permits: 100, windowMs };

  it('is never exceeded, wherever the provider counts a call between its beginning and its end [D2]', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (history, part) => {
        const calls = drive(limit, history);
        expect(fullest(calls, windowMs, ({ atMs }) => atMs)).toBeLessThanOrEqual(100);
        const ended = calls.map((call) => ({ ...call, endMs: Math.min(call.endMs, startMs * 2) }));
        expect(fullest(ended, windowMs, ({ endMs }) => endMs)).toBeLessThanOrEqual(100);
        const between = ({ atMs, endMs }: Call) => atMs + Math.floor(part * (endMs - atMs));
        expect(fullest(ended, windowMs, between)).toBeLessThanOrEqual(100);
      }),
      { numRuns: 300 },
    );
  });

  it('counts a call whose process died as used, until a window after its hold has ended', () => {
    const model = new Model();
    const asked = [{ key: 'k', limit, amount: 100 }];
    const reserve = (id: string) => ({ kind: 'reserve', id, holdMs: 1_000, asked }) as const;
    model.run(reserve('died'), startMs);
    expect(model.run(reserve('next'), startMs + 1_000)).toMatchObject({ kind: 'refused' });
    expect(model.run(reserve('next'), startMs + 1_000 + windowMs)).toMatchObject({
      kind: 'refused',
    });
    expect(model.run(reserve('next'), startMs + 1_050 + windowMs)).toMatchObject({
      kind: 'reserved',
    });
  });
});

describe('a burst over the boundary of two windows', () => {
  /** Asks for one permit at every moment, from `fromMs` to the end. */
  const flood = (limit: BucketLimit) => {
    const model = new Model();
    const calls: Call[] = [];
    for (let atMs = startMs; atMs < startMs + 10_000; atMs += 5) {
      for (let n = 0; n < 20; n += 1) {
        const asked = [{ key: 'k', limit, amount: 1, spent: true }];
        const reply = model.run({ kind: 'reserve', id: 'x', holdMs: 0, asked }, atMs);
        if (reply.kind !== 'reserved') break;
        calls.push({ atMs, endMs: atMs, used: 1 });
      }
    }
    return { most: fullest(calls, 2_000, ({ atMs }) => atMs), all: calls.length };
  };

  it('is no more than the limit of a window, which is used to 95 % and more [D2]', () => {
    const { all, most } = flood({ kind: 'window', permits: 100, windowMs: 2_000 });
    expect(most).toBe(100);
    expect(all).toBeGreaterThanOrEqual(0.95 * 500);
  });

  it('is no more than a rate and its burst together [D1]', () => {
    const { all, most } = flood({ kind: 'rate', permits: 100, perMs: 2_000, burst: 10 });
    expect(most).toBeLessThanOrEqual(111);
    expect(all).toBeGreaterThanOrEqual(0.99 * 500);
  });
});

describe('a rate', () => {
  it('keeps to its burst and its pace, refunds and all [D1]', () => {
    const limit: BucketLimit = { kind: 'rate', permits: 50, perMs: 5_000, burst: 60 };
    fc.assert(
      fc.property(steps, (history) => {
        const calls = drive(limit, history);
        // Each span may end with one call that began in it.
        expect(fullest(calls, 5_000, ({ atMs }) => atMs)).toBeLessThanOrEqual(50 + 60 + 1);
      }),
      { numRuns: 300 },
    );
  });

  it('charges what was used beyond the estimate, and gives no credit for what drained by itself', () => {
    const limit: BucketLimit = { kind: 'rate', permits: 10, perMs: 1_000, burst: 10 };
    const model = new Model();
    const ask = (id: string, amount: number, atMs: number) =>
      model.run({ kind: 'reserve', id, holdMs, asked: [{ key: 'k', limit, amount }] }, atMs);
    const settle = (id: string, amount: number, atMs: number) =>
      model.run({ kind: 'settle', id, used: [{ key: 'k', limit, amount }] }, atMs);
    ask('a', 10, startMs);
    // By now it has drained; ten of another call stand there.
    ask('b', 10, startMs + 2_000);
    settle('a', 0, startMs + 2_000);
    expect(ask('c', 1, startMs + 2_000)).toMatchObject({ kind: 'refused', retryAfterMs: 100 });
    settle('b', 15, startMs + 2_000);
    expect(ask('c', 1, startMs + 2_000)).toMatchObject({ kind: 'refused', retryAfterMs: 600 });
  });
});
