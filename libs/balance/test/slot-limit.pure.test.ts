import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotLimit } from '../src/worker/slot-limit.ts';

/** Longer than any of these tests lets pass between two looks: no process here is starved, unless it says so. */
const tickMs = 60_000;
const quick = { model: 'm', afterMs: 100 };

/** A window of calls that begin so late, and some that fail. */
function seconds(limit: SlotLimit, fromMs: number, calls: readonly number[], failed = 0): number {
  const nowMs = fromMs + 10_000;
  for (const afterMs of calls) limit.firstToken({ model: 'm', afterMs }, nowMs);
  for (let index = 0; index < Math.max(calls.length, failed); index += 1)
    limit.ended(index < failed);
  limit.look(limit.value, nowMs);
  return nowMs;
}
const eight = (afterMs: number) => Array.from({ length: 8 }, () => afterMs);

describe('SlotLimit', () => {
  it('takes a quarter away when answers begin late, and gives one back when they do not [B9]', () => {
    const limit = new SlotLimit({ slots: 16, minSlots: 1, tickMs }, 0);
    let nowMs = seconds(limit, 0, eight(100));
    expect(limit.value).toBe(16);
    nowMs = seconds(limit, nowMs, eight(200));
    expect(limit.value).toBe(12);
    seconds(limit, nowMs, eight(100));
    expect(limit.value).toBe(13);
  });

  it('takes failures of the provider for overload, down to its lower bound [B9]', () => {
    const limit = new SlotLimit({ slots: 16, minSlots: 3, tickMs }, 0);
    let nowMs = 0;
    for (let round = 0; round < 10; round += 1) nowMs = seconds(limit, nowMs, [], 8);
    expect(limit.value).toBe(3);
  });

  it('judges each model by what is usual for it', () => {
    const limit = new SlotLimit({ slots: 8, minSlots: 1, tickMs }, 0);
    for (let round = 1; round < 20; round += 1) {
      for (let call = 0; call < 5; call += 1) {
        limit.firstToken({ model: 'slow', afterMs: 30_000 }, round * 60_000);
        limit.firstToken({ model: 'quick', afterMs: 50 }, round * 60_000);
      }
      limit.look(8, round * 60_000);
    }
    expect(limit.value).toBe(8);
  });

  it('does not take for an overload what began before the limit changed', () => {
    const limit = new SlotLimit({ slots: 16, minSlots: 1, tickMs }, 0);
    let nowMs = seconds(limit, 0, eight(100));
    nowMs = seconds(limit, nowMs, eight(900));
    expect(limit.value).toBe(12);
    for (const afterMs of eight(5_000)) limit.firstToken({ model: 'm', afterMs }, nowMs + 2_000);
    limit.look(12, nowMs + 2_000);
    expect(limit.value).toBe(12);
  });

  it('says nothing of a single call, nor without a lower bound', () => {
    const limit = new SlotLimit({ slots: 4, minSlots: 1, tickMs }, 0);
    limit.firstToken(quick, 1_000);
    limit.firstToken({ ...quick, afterMs: 9_000 }, 10_000);
    limit.look(4, 10_000);
    expect(limit.value).toBe(4);
    const fixed = new SlotLimit({ slots: 4, tickMs }, 0);
    seconds(fixed, seconds(fixed, 0, eight(100)), eight(900), 8);
    expect(fixed.value).toBe(4);
  });

  /**
   * Ten seconds of calls that begin so late, judged at ticks that are late by themselves.
   * @returns the least that the limit of 16 came to
   */
  function leastOf(afterMs: number, lags: readonly number[]): number {
    const limit = new SlotLimit({ slots: 16, minSlots: 1, tickMs: 250 }, 0);
    let nowMs = 0;
    let least = 16;
    for (let tick = 0; nowMs < 12_000; tick += 1) {
      nowMs += 250 + (nowMs < 2_000 ? 0 : (lags[tick % lags.length] ?? 0));
      for (let call = 0; call < 4; call += 1) {
        limit.firstToken({ model: 'm', afterMs: nowMs < 2_000 ? 40 : afterMs }, nowMs);
      }
      limit.look(16, nowMs);
      least = Math.min(least, limit.value);
    }
    return least;
  }

  it('does not blame the provider for what its own starved process may have caused [B9]', () => {
    expect(leastOf(160, [60])).toBe(16);
    expect(leastOf(160, [0, 0, 0, 500])).toBe(16);
    expect(leastOf(160, [0])).toBeLessThan(16);
  });

  it('sees a late provider through some lateness of its own [B9]', () => {
    // Answers are later than the process can have made them; or it stood still for a moment only.
    expect(leastOf(800, [60])).toBeLessThan(16);
    expect(leastOf(160, [0, 0, 0, 70])).toBeLessThan(16);
  });

  it('stays within its bounds whatever is seen', () => {
    const call = fc.record({
      afterMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
      failed: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.array(call, { maxLength: 20 }), { maxLength: 40 }),
        (slots, minSlots, windows) => {
          const limit = new SlotLimit({ slots, minSlots, tickMs }, 0);
          let nowMs = 0;
          for (const calls of windows) {
            nowMs += 6_000;
            for (const { afterMs, failed } of calls) {
              limit.began(limit.value);
              limit.firstToken({ model: 'm', afterMs }, nowMs);
              limit.ended(failed);
            }
            limit.look(limit.value, nowMs);
            expect(limit.value).toBeGreaterThanOrEqual(Math.min(slots, minSlots));
            expect(limit.value).toBeLessThanOrEqual(slots);
          }
        },
      ),
    );
  });
});
