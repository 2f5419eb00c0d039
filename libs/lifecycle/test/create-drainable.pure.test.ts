import { SimulatedClock } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDrainable, drainAll } from '../src/index.ts';

const never = new AbortController().signal;

/** A part whose drain takes 100 ms and whose release 10 ms, with a diary. */
function part(clock: SimulatedClock, options: { readonly drainError?: Error } = {}) {
  const diary: string[] = [];
  const drainable = createDrainable({
    async drain() {
      diary.push('drain');
      await clock.sleep(100);
      if (options.drainError) throw options.drainError;
      diary.push('drained');
    },
    async release() {
      diary.push('release');
      await clock.sleep(10);
      diary.push('released');
    },
  });
  return { diary, drainable, dispose: () => drainable[Symbol.asyncDispose]() };
}

describe('createDrainable', () => {
  it('drains once for two callers', async () => {
    const clock = new SimulatedClock();
    const { diary, drainable } = part(clock);
    const both = Promise.all([
      drainable.drain({ signal: never }),
      drainable.drain({ signal: never }),
    ]);
    await clock.advance(100);
    await both;
    await drainable.drain({ signal: never });
    expect(diary).toEqual(['drain', 'drained']);
  });

  it('releases once when disposed twice', async () => {
    const clock = new SimulatedClock();
    const { diary, dispose } = part(clock);
    const both = Promise.all([dispose(), dispose()]);
    await clock.advance(10);
    await both;
    await dispose();
    expect(diary).toEqual(['release', 'released']);
  });

  it('waits for a drain in progress before it releases', async () => {
    const clock = new SimulatedClock();
    const { diary, drainable, dispose } = part(clock);
    const all = Promise.all([drainable.drain({ signal: never }), dispose()]);
    await clock.advance(110);
    await all;
    expect(diary).toEqual(['drain', 'drained', 'release', 'released']);
  });

  it('does not begin to drain what is being released', async () => {
    const clock = new SimulatedClock();
    const { diary, drainable, dispose } = part(clock);
    const all = Promise.all([dispose(), drainable.drain({ signal: never })]);
    await clock.advance(10);
    await all;
    expect(diary).toEqual(['release', 'released']);
  });

  it('releases though the drain failed, and tells who drained', async () => {
    const clock = new SimulatedClock();
    const { diary, drainable, dispose } = part(clock, { drainError: new Error('lost') });
    const drained = expect(drainable.drain({ signal: never })).rejects.toThrow('lost');
    const disposed = dispose();
    await clock.advance(110);
    await Promise.all([drained, disposed]);
    expect(diary).toEqual(['drain', 'release', 'released']);
  });

  it('is not held up by work that ignores the signal', async () => {
    const clock = new SimulatedClock();
    const diary: string[] = [];
    const stuck = createDrainable({
      drain: () => new Promise(() => {}),
      release: () => void diary.push('released'),
    });
    const deadline = new AbortController();
    const drained = stuck.drain({ signal: deadline.signal });
    const disposed = stuck[Symbol.asyncDispose]();
    await clock.advance(1_000);
    expect(diary).toEqual([]);
    deadline.abort();
    await Promise.all([drained, disposed]);
    expect(diary).toEqual(['released']);
  });

  it('lets a later caller wait no longer than its own signal', async () => {
    const clock = new SimulatedClock();
    const { diary, drainable } = part(clock);
    const first = drainable.drain({ signal: never });
    await drainable.drain({ signal: AbortSignal.abort() });
    expect(diary).toEqual(['drain']);
    await clock.advance(100);
    await first;
  });

  it('keeps its order for every schedule of drains and disposals', async () => {
    const call = fc.record({ atMs: fc.nat(150), kind: fc.constantFrom('drain', 'dispose') });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 6 }), async (calls) => {
        const clock = new SimulatedClock();
        const { diary, drainable, dispose } = part(clock);
        const made = calls.map(async ({ atMs, kind }) => {
          await clock.sleep(atMs);
          await (kind === 'drain' ? drainable.drain({ signal: never }) : dispose());
        });
        await clock.advance(500);
        await Promise.all(made);
        expect(new Set(diary).size).toBe(diary.length);
        const whole = ['drain', 'drained', 'release', 'released'];
        const disposed = calls.some(({ kind }) => kind === 'dispose');
        const drained = diary.includes('drain');
        expect(diary).toEqual([...whole.slice(drained ? 0 : 2, disposed ? 4 : 2)]);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('drainAll', () => {
  it('goes against the order of the start, one after the other', async () => {
    const clock = new SimulatedClock();
    const order: string[] = [];
    const named = (name: string) =>
      createDrainable({
        async drain() {
          order.push(`${name} begins`);
          await clock.sleep(5);
          order.push(`${name} ends`);
        },
        release: () => {},
      });
    const all = drainAll([named('store'), named('server')], { signal: never });
    await clock.advance(10);
    await all;
    expect(order).toEqual(['server begins', 'server ends', 'store begins', 'store ends']);
  });

  it('drains the others when one fails, then says so', async () => {
    const drained: string[] = [];
    const good = createDrainable({ drain: () => void drained.push('good'), release: () => {} });
    const bad = createDrainable({
      drain: () => Promise.reject(new Error('lost')),
      release: () => {},
    });
    await expect(drainAll([good, bad], { signal: never })).rejects.toThrow(AggregateError);
    expect(drained).toEqual(['good']);
  });
});
