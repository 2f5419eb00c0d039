import { describe, expect, it } from 'vitest';
import { breakNames, fleetStudy } from '../src/index.ts';

describe('the whole fleet under faults', () => {
  it('keeps every promise, and every fault and rescue happens [A6] [A7] [A8] [B4] [B5]', () => {
    const study = fleetStudy({ seed: 1, seeds: 25 });
    expect(study.firstViolation).toBeUndefined();
    expect(study.neverHappened).toEqual([]);
    expect(study).toMatchObject({ ok: true, seeds: 25, violations: 0 });
    expect(study.answered).toBe(study.asked);
    // A fourth of the questions had just been asked, and most of these cost no call, faults or not [A8].
    expect(study.repeatedPercent).toBeGreaterThan(20);
    expect(study.savedPercent).toBeGreaterThan(study.repeatedPercent * 0.7);
  });

  it('is the same run again from the same seed', () => {
    const [first, second] = [fleetStudy({ seed: 7, seeds: 1 }), fleetStudy({ seed: 7, seeds: 1 })];
    expect(second).toEqual(first);
  });

  it.each(breakNames)('is caught with a broken rule: %s', (broken) => {
    const study = fleetStudy({ seed: 1, seeds: 40, broken });
    expect(study.ok).toBe(true);
    expect(study.replay).toMatch(
      new RegExp(`^npm run -s sim -- fleet --seed \\d+ --seeds 1 --break ${broken} --json$`),
    );
    const seed = Number(/--seed (\d+)/.exec(study.replay ?? '')?.[1]);
    expect(fleetStudy({ seed, seeds: 1, broken }).firstViolation).toBe(study.firstViolation);
  });
});
