import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf } from '../src/local-share.ts';

describe('the share of one process', () => {
  it('adds up to no more than the limit, whatever each used before [D4]', () => {
    const fleets = fc.record({
      permits: fc.integer({ min: 0, max: 1_000 }),
      uses: fc.array(fc.nat(100), { minLength: 1, maxLength: 10 }),
    });
    fc.assert(
      fc.property(fleets, ({ permits, uses }) => {
        const level = uses.reduce((sum, use) => sum + use, 0);
        fc.pre(level <= permits);
        const limit = { kind: 'window', permits, windowMs: 60_000 } as const;
        const processes = uses.length;
        // In the window that Redis went away in, somebody's earlier use stands whatever its share is.
        const most = uses.map((own) => {
          const share = shareOf(limit, { processes, seen: { level, own } });
          return Math.max(own, share.kind === 'rate' ? Number.NaN : share.permits);
        });
        expect(most.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(permits);
      }),
    );
  });

  it('is a like part of places and of a rate, and nothing of money', () => {
    const fleet = { processes: 4, seen: undefined };
    expect(shareOf({ kind: 'concurrency', permits: 10 }, fleet)).toMatchObject({ permits: 2 });
    expect(shareOf({ kind: 'rate', permits: 2, perMs: 1_000, burst: 5 }, fleet)).toEqual({
      kind: 'rate',
      permits: 2,
      perMs: 4_000,
      burst: 1,
    });
    const day = { kind: 'period', permits: 10, endsAtMs: 1 } as const;
    expect(shareOf({ ...day, money: true }, fleet)).toMatchObject({ permits: 0 });
    expect(shareOf(day, fleet)).toMatchObject({ permits: 2 });
  });
});
