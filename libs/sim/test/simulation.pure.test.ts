import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lognormal, quantile } from '../src/kernel/draws.ts';
import { Simulation } from '../src/kernel/simulation.ts';

describe('the event heap', () => {
  it('runs what is due in the order of time, then of planning', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (delays) => {
        const simulation = new Simulation({ seed: 1, startMs: 0 });
        const ran: (readonly [number, number])[] = [];
        delays.forEach((delayMs, index) => {
          simulation.after(delayMs, () => ran.push([simulation.nowMs, index]));
        });
        simulation.run(100);
        const wanted = delays.map((delayMs, index) => [delayMs, index] as const);
        expect(ran).toEqual(wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      }),
    );
  });

  it('does not run what is due later, and moves time to where it was told', () => {
    const simulation = new Simulation({ seed: 1, startMs: 0 });
    let beats = 0;
    simulation.every(10, 5, () => {
      beats += 1;
      return beats < 3;
    });
    simulation.run(14);
    expect([beats, simulation.nowMs]).toEqual([1, 14]);
    simulation.run(1_000);
    expect([beats, simulation.nowMs, simulation.events]).toEqual([3, 1_000, 3]);
  });
});

describe('the draws', () => {
  it('have the mean that was asked for', () => {
    const { random } = new Simulation({ seed: 3 });
    let sum = 0;
    for (let n = 0; n < 50_000; n += 1) sum += lognormal(random, { mean: 8_000, sigma: 1.1 });
    expect(sum / 50_000 / 8_000).toBeCloseTo(1, 1);
  });

  it('quantile is the value with that share at or below it', () => {
    const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.99, 1].map((share) => quantile(sorted, share))).toEqual([50, 99, 100]);
    expect(quantile([], 0.99)).toBe(0);
  });
});
