import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../src/stats/histogram.ts';
import { median } from '../src/stats/median.ts';
import { percentile } from '../src/stats/percentile.ts';

const milliseconds = fc.double({ min: 0, max: 1e7, noNaN: true });

describe('Histogram', () => {
  it('is within 0.05 % or a microsecond of the exact percentile', () => {
    fc.assert(
      fc.property(
        fc.array(milliseconds, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(1, 50, 95, 99, 100),
        (values, percent) => {
          const histogram = new Histogram();
          for (const value of values) histogram.add(value);
          const exact = percentile(values, percent) ?? Number.NaN;
          const told = histogram.percentile(percent) ?? Number.NaN;
          expect(Math.abs(told - exact)).toBeLessThanOrEqual(Math.max(0.001, exact * 0.0005));
        },
      ),
    );
  });

  it('is the same after a journey as JSON, and merged it is the histogram of both', () => {
    fc.assert(
      fc.property(fc.array(milliseconds), fc.array(milliseconds), (some, others) => {
        const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
        for (const value of some) for (const each of [a, both]) each.add(value);
        for (const value of others) for (const each of [b, both]) each.add(value);
        const travelled = Histogram.of(JSON.parse(JSON.stringify(a)));
        travelled.merge(b);
        expect(travelled.toJSON()).toEqual(both.toJSON());
        expect(travelled.total).toBe(both.total);
      }),
    );
  });

  it('has no percentile of nothing, and a bound on its values', () => {
    const histogram = new Histogram();
    expect(histogram.percentile(50)).toBeUndefined();
    histogram.add(1e12);
    expect(histogram.percentile(50)).toBeGreaterThan(6e7);
    histogram.add(-3);
    expect(histogram.percentile(1)).toBe(0);
  });
});

describe('median', () => {
  it('is the middle value, or the mean of the two', () => {
    expect(median([])).toBeUndefined();
    expect(median([5])).toBe(5);
    expect(median([9, 1, 4])).toBe(4);
    expect(median([9, 1, 4, 6])).toBe(5);
  });
});

describe('percentile', () => {
  it('is by nearest rank', () => {
    const values = [5, 1, 4, 2, 3, 6, 7, 8, 9, 10];
    expect([1, 10, 50, 90, 91, 100].map((percent) => percentile(values, percent))).toEqual([
      1, 1, 5, 9, 10, 10,
    ]);
    expect(percentile([], 50)).toBeUndefined();
  });
});
