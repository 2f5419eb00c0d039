import { describe, expect, it } from 'vitest';
import { promisesKept, row } from '../src/report/row.ts';
import { interleave, medianPerRound } from '../src/rounds/interleave.ts';

const speed = { id: 'a', what: 'a thing', unit: 'ms', kind: 'speed' } as const;

describe('row', () => {
  it.each([
    [{ max: 2 }, 2, true],
    [{ max: 2 }, 2.1, false],
    [{ min: 2 }, 2, true],
    [{ min: 2 }, 1.9, false],
    [{ max: 2 }, undefined, false],
    [{ min: 2 }, Number.NaN, false],
  ])('with limit %o and value %s passes: %s', (limit, value, pass) => {
    expect(row({ ...speed, limit, value }).pass).toBe(pass);
  });

  it('without a limit has nothing to reach', () => {
    expect(row({ ...speed, value: undefined })).toMatchObject({
      value: null,
      limit: null,
      bound: null,
      pass: true,
    });
  });
});

describe('promisesKept', () => {
  const promise = (value: number) => row({ ...speed, kind: 'promise', limit: { max: 0 }, value });
  it('looks at promises only, and wants at least one', () => {
    const missed = row({ ...speed, value: 9, limit: { max: 1 } });
    expect(promisesKept([missed, promise(0)])).toBe(true);
    expect(promisesKept([missed, promise(0), promise(1)])).toBe(false);
    expect(promisesKept([missed])).toBe(false);
  });
});

describe('interleave', () => {
  it('measures all targets each round, each time another one first', async () => {
    const order: string[] = [];
    const results = await interleave(['a', 'b', 'c'], 3, async (target, round) => {
      order.push(target);
      return `${target}${round}`;
    });
    expect(order.join('')).toBe('abcbcacab');
    expect(results).toEqual({
      a: ['a0', 'a1', 'a2'],
      b: ['b0', 'b1', 'b2'],
      c: ['c0', 'c1', 'c2'],
    });
  });
});

describe('medianPerRound', () => {
  it('compares within a round before it takes the median', () => {
    // The machine was slow in the second round, for both.
    expect(medianPerRound([3, 103, 3], [1, 101, 1], (a, b) => a - b)).toBe(2);
    expect(medianPerRound([3, 4], [1], (a, b) => a - b)).toBe(2);
    expect(medianPerRound([], [1], (a, b) => a - b)).toBeUndefined();
  });
});
