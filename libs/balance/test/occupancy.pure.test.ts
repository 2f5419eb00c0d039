import type { JobId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoreEffect } from '../src/index.ts';
import { CoreDriver } from './core-driver.ts';

type Run = Extract<CoreEffect, { kind: 'run' }>;
type Step =
  | { readonly kind: 'ask' }
  | { readonly kind: 'answer'; readonly accepts: boolean; readonly reportsFirst: boolean }
  | { readonly kind: 'finish'; readonly which: number }
  | { readonly kind: 'report' };

const slots = 5;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ kind: 'ask' } as const),
  fc.record({
    kind: fc.constant('answer' as const),
    accepts: fc.boolean(),
    reportsFirst: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('finish' as const), which: fc.nat(50) }),
  fc.constant({ kind: 'report' } as const),
);

describe('what a balancer counts as free', () => {
  it('is never more than is, and all of it once dispatches are answered and a report has come [B1] [B4]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const driver = new CoreDriver();
        const running = new Set<JobId>();
        const underWay: Run[] = [];
        let asked = 0;
        const note = (effects: readonly CoreEffect[]) => {
          for (const effect of effects) if (effect.kind === 'run') underWay.push(effect);
        };
        const tell = () =>
          note(driver.report('w', slots - running.size, { slots, running: [...running] }));
        const answer = (accepts: boolean, reportsFirst: boolean) => {
          const run = underWay.shift();
          if (!run) return;
          const isFree = accepts && running.size < slots;
          if (isFree) running.add(run.jobId);
          if (reportsFirst) tell();
          note(driver.answer(run, isFree ? 'ok' : 'full'));
        };
        tell();
        for (const one of steps) {
          const [first] = [...running].slice(one.kind === 'finish' ? one.which % slots : 0);
          if (one.kind === 'ask') note(driver.store(`j${asked++}`));
          else if (one.kind === 'answer') answer(one.accepts, one.reportsFirst);
          else if (one.kind === 'report') tell();
          else if (first !== undefined) running.delete(first);
          const free = driver.core.freeSlots(driver.nowMs);
          expect(running.size + underWay.length + free).toBeLessThanOrEqual(slots);
        }
        while (underWay.length > 0) answer(true, false);
        tell();
        while (underWay.length > 0) answer(true, false);
        tell();
        expect(driver.core.freeSlots(driver.nowMs)).toBe(slots - running.size);
      }),
    );
  });
});

describe('an earlier epoch', () => {
  it('is that of a new process once the known one was silent for 3 s, and its slots are used [B3]', () => {
    const driver = new CoreDriver();
    driver.report('w', 4, { epoch: 9_000_000 });
    driver.nowMs = 2_999;
    driver.report('w', 4, { epoch: 5 });
    expect(driver.core.freeSlots(driver.nowMs)).toBe(0);
    driver.nowMs = 3_000;
    driver.report('w', 4, { epoch: 5 });
    expect(driver.core.freeSlots(driver.nowMs)).toBe(4);
    driver.nowMs = 3_250;
    driver.report('w', 2, { epoch: 5 });
    expect(driver.core.freeSlots(driver.nowMs)).toBe(2);
  });

  it('is that of a late report while a worker that refused goes on reporting [B3]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1, { epoch: 6 });
    driver.store('a');
    const [run] = driver.runs;
    if (run) driver.answer(run, 'full');
    driver.report('w', 4, { epoch: 5 });
    expect(driver.core.freeSlots(driver.nowMs)).toBe(0);
  });
});
