import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, seededRandom, systemRandom } from '../src/index.ts';

/** Pearson's chi-square of `draws` numbers over `cells` equal parts. */
function chiSquare(random: Random, cells: number, draws: number): number {
  const counts = Array<number>(cells).fill(0);
  for (let n = 0; n < draws; n += 1) {
    const cell = random.integer(cells);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const expected = draws / cells;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('seededRandom', () => {
  it('repeats its stream from its seed, and differs between seeds', () => {
    const stream = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 8 }, () => random.next());
    };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(stream(seed)).toEqual(stream(seed));
        expect(stream(seed)).not.toEqual(stream(seed + 1));
      }),
    );
  });

  it.each([1, 2, 3, 4, 5])('is even over its range, seed %i', (seed) => {
    // With 15 degrees of freedom a chi-square above 44 has a probability below 1 in 10 000.
    expect(chiSquare(seededRandom(seed), 16, 16_000)).toBeLessThan(44);
  });
});

describe.each([
  ['seededRandom', seededRandom(7)],
  ['systemRandom', systemRandom],
])('%s', (_name, random) => {
  it('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (bound) => {
        const next = random.next();
        expect(next >= 0 && next < 1).toBe(true);
        const whole = random.integer(bound);
        expect(Number.isInteger(whole) && whole >= 0 && whole < bound).toBe(true);
      }),
    );
  });

  it('reaches every whole number below the bound', () => {
    const seen = new Set(Array.from({ length: 400 }, () => random.integer(5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
