import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadlineAfter, SimulatedClock } from '../src/index.ts';

describe('SimulatedClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new SimulatedClock(1_000);
    await Promise.resolve();
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
    await clock.advance(250);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
  });

  it('fires timers in the order of their time, and of their arming at one instant', async () => {
    const delays = fc.array(fc.nat(50), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(delays, async (delaysMs) => {
        const clock = new SimulatedClock();
        const fired: { readonly index: number; readonly atMs: number }[] = [];
        for (const [index, delayMs] of delaysMs.entries()) {
          clock.schedule(delayMs, () => fired.push({ index, atMs: clock.monotonicMs() }));
        }
        await clock.advance(50);
        const expected = delaysMs
          .map((atMs, index) => ({ index, atMs }))
          .sort((a, b) => a.atMs - b.atMs || a.index - b.index);
        expect(fired).toEqual(expected);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('fires the same however the time is cut into steps', async () => {
    const timers = fc.array(fc.nat(100), { maxLength: 8 });
    const steps = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 });
    const run = async (timersMs: readonly number[], stepsMs: readonly number[]) => {
      const clock = new SimulatedClock();
      const fired: string[] = [];
      for (const delayMs of timersMs) {
        // Each timer arms another, as a loop that sleeps does.
        clock.schedule(delayMs, () => {
          fired.push(`${delayMs} at ${clock.monotonicMs()}`);
          clock.schedule(7, () => fired.push(`${delayMs} again at ${clock.monotonicMs()}`));
        });
      }
      for (const stepMs of stepsMs) await clock.advance(stepMs);
      await clock.advance(500 - clock.monotonicMs());
      return fired;
    };
    await fc.assert(
      fc.asyncProperty(timers, steps, async (timersMs, stepsMs) => {
        expect(await run(timersMs, stepsMs)).toEqual(await run(timersMs, []));
      }),
      { numRuns: 25 },
    );
  });

  it('lets what one timer settled arm the next before time goes on', async () => {
    const clock = new SimulatedClock();
    const wokenMs: number[] = [];
    const loop = async () => {
      for (let n = 0; n < 4; n += 1) {
        await clock.sleep(10);
        wokenMs.push(clock.monotonicMs());
      }
    };
    const looping = loop();
    await clock.advance(40);
    await looping;
    expect(wokenMs).toEqual([10, 20, 30, 40]);
  });

  it('does not fire what was disposed, nor trip over disposing late', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    const timer = clock.schedule(5, () => fired.push('disposed'));
    const late = clock.schedule(6, () => fired.push('late'));
    timer[Symbol.dispose]();
    await clock.advance(10);
    late[Symbol.dispose]();
    expect(fired).toEqual(['late']);
  });

  it('takes a delay below zero as none', async () => {
    const clock = new SimulatedClock();
    const slept = clock.sleep(-5);
    await clock.advance(0);
    await slept;
    expect(clock.monotonicMs()).toBe(0);
  });
});

describe('sleep', () => {
  it('rejects with the reason of its signal, at once, and leaves no timer', async () => {
    const clock = new SimulatedClock();
    const controller = new AbortController();
    const slept = clock.sleep(1_000, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not begin under a signal that has aborted', async () => {
    const clock = new SimulatedClock();
    await expect(clock.sleep(1, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is over when the signal aborts later', async () => {
    const clock = new SimulatedClock();
    const controller = new AbortController();
    const slept = clock.sleep(5, { signal: controller.signal });
    await clock.advance(5);
    controller.abort();
    await expect(slept).resolves.toBeUndefined();
  });
});

describe('deadlineAfter', () => {
  it('aborts with a TimeoutError at its time, not before', async () => {
    const clock = new SimulatedClock(50_000);
    const deadline = deadlineAfter(clock, 100);
    expect(deadline.atMs).toBe(50_100);
    await clock.advance(99);
    expect([deadline.signal.aborted, deadline.remainingMs()]).toEqual([false, 1]);
    await clock.advance(1);
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.signal.reason).toMatchObject({ name: 'TimeoutError' });
    await clock.advance(50);
    expect(deadline.remainingMs()).toBe(0);
  });

  it('never aborts once disposed', async () => {
    const clock = new SimulatedClock();
    const deadline = deadlineAfter(clock, 100);
    deadline[Symbol.dispose]();
    await clock.advance(1_000);
    expect(deadline.signal.aborted).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});
