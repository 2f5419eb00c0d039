import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BreakerPermit,
  breakerLimits,
  CircuitBreaker,
  type RungOutcome,
} from '../src/ladder/circuit-breaker.ts';

const { openMs } = breakerLimits;

/** A breaker on a clock of its own. */
class Bench {
  readonly breaker = new CircuitBreaker();
  nowMs = 0;

  /** A call that ends at once; false when it is not admitted. */
  call(outcome: RungOutcome): boolean {
    const permit = this.breaker.take(this.nowMs);
    if (permit) this.breaker.settle(permit, outcome, this.nowMs);
    return permit !== undefined;
  }

  calls(outcomes: string): void {
    for (const letter of outcomes) this.call(letter === 'x' ? 'fault' : 'success');
  }

  get kind() {
    return this.breaker.kind(this.nowMs);
  }

  open(): void {
    this.calls('xx');
    expect(this.kind).toBe('open');
  }
}

describe('CircuitBreaker', () => {
  it.each([
    ['x', 'closed', 'one fault is none'],
    ['xx', 'open', 'two of two on an idle rung'],
    ['.xx', 'closed', 'two in a row, but one of three was well'],
    ['.xxxxxxxx', 'closed', 'fewer than 20 calls, not all faults'],
    [`${'.x'.repeat(10)}x`, 'open', 'eleven of 21, the last two in a row'],
    [`${'x.'.repeat(20)}`, 'closed', 'half of 40, never two in a row'],
    [`${'.'.repeat(12)}${'x'.repeat(8)}`, 'closed', '8 of 20'],
    [`${'.'.repeat(12)}${'x'.repeat(12)}`, 'open', '12 of 24'],
  ])('after %s it is %s: %s [C5]', (outcomes, kind) => {
    const bench = new Bench();
    bench.calls(outcomes);
    expect(bench.kind).toBe(kind);
  });

  it('forgets what is older than its window [C5]', () => {
    const bench = new Bench();
    bench.calls('.x');
    bench.nowMs = 11_000;
    bench.calls('x');
    expect(bench.kind).toBe('open');
  });

  it('counts neither a refused request nor a cancelled one [C5]', () => {
    const bench = new Bench();
    for (let n = 0; n < 50; n += 1) bench.call('neutral');
    bench.calls('x');
    bench.call('neutral');
    expect(bench.kind).toBe('closed');
    // Nor does one stand between two faults.
    bench.calls('x');
    expect(bench.kind).toBe('open');
  });

  it('is open for 15 s and then lets one probe through [C5]', () => {
    const bench = new Bench();
    bench.open();
    bench.nowMs = openMs - 1;
    expect(bench.call('success')).toBe(false);
    bench.nowMs = openMs;
    expect(bench.kind).toBe('half_open');
    const probe = bench.breaker.take(bench.nowMs);
    expect(probe).toMatchObject({ kind: 'probe' });
    expect(bench.breaker.take(bench.nowMs)).toBeUndefined();
    expect(bench.breaker.settle(probe as BreakerPermit, 'success', bench.nowMs)).toBe('closed');
    expect(bench.kind).toBe('closed');
    // It begins anew: what was before the opening does not count.
    bench.calls('x');
    expect(bench.kind).toBe('closed');
  });

  it('opens again when the probe fails, and probes again when it says nothing [C5]', () => {
    const bench = new Bench();
    bench.open();
    bench.nowMs = openMs;
    const unsaid = bench.breaker.take(bench.nowMs) as BreakerPermit;
    bench.breaker.settle(unsaid, 'neutral', bench.nowMs);
    const probe = bench.breaker.take(bench.nowMs) as BreakerPermit;
    expect(bench.breaker.settle(probe, 'fault', bench.nowMs)).toBe('open');
    expect(bench.breaker.opensInMs(bench.nowMs)).toBe(openMs);
  });

  it('hears nothing of calls that began before it changed [C5]', () => {
    const bench = new Bench();
    const early = bench.breaker.take(0) as BreakerPermit;
    bench.open();
    expect(bench.breaker.settle(early, 'success', 1)).toBeUndefined();
    expect(bench.kind).toBe('open');
    bench.nowMs = openMs;
    expect(bench.breaker.settle(early, 'fault', openMs)).toBeUndefined();
    expect(bench.kind).toBe('half_open');
  });

  it('serves by force while it is open, and closes when that is answered [C5]', () => {
    const bench = new Bench();
    bench.open();
    const bad = bench.breaker.force(bench.nowMs);
    expect(bad.kind).toBe('forced');
    bench.nowMs = 5_000;
    expect(bench.breaker.settle(bad, 'fault', bench.nowMs)).toBeUndefined();
    expect(bench.breaker.opensInMs(bench.nowMs)).toBe(openMs - 5_000);
    const good = bench.breaker.force(bench.nowMs);
    expect(bench.breaker.settle(good, 'success', bench.nowMs)).toBe('closed');
  });

  it('takes the word of others: opens for as long as they say, 15 s at most, and closes [C5]', () => {
    const bench = new Bench();
    expect(bench.breaker.open(3_000, 0)).toBe('open');
    expect(bench.breaker.open(1_000_000, 0)).toBeUndefined();
    expect(bench.breaker.opensInMs(0)).toBe(openMs);
    expect(bench.breaker.close(0)).toBe('closed');
    expect(bench.breaker.close(0)).toBeUndefined();
  });

  it('never has two probes, never opens without two faults in a row, is never open for longer [C5]', () => {
    const steps = fc.array(
      fc.record({
        waitMs: fc.nat({ max: 6_000 }),
        how: fc.constantFrom('take' as const, 'force' as const),
        outcome: fc.constantFrom<RungOutcome>('success', 'fault', 'fault', 'neutral'),
        /** How many further steps it is under way. */
        lasts: fc.nat({ max: 4 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const breaker = new CircuitBreaker();
        const open = new Map<BreakerPermit, { outcome: RungOutcome; left: number }>();
        let nowMs = 0;
        let faultsInRow = 0;
        for (const { how, lasts, outcome, waitMs } of plan) {
          nowMs += waitMs;
          const permit = how === 'take' ? breaker.take(nowMs) : breaker.force(nowMs);
          if (permit) open.set(permit, { outcome, left: lasts });
          const probes = [...open.keys()].filter(
            ({ epoch, kind }) => kind === 'probe' && epoch === permit?.epoch,
          );
          expect(probes.length).toBeLessThanOrEqual(1);
          for (const [ended, call] of open) {
            call.left -= 1;
            if (call.left > 0) continue;
            open.delete(ended);
            const wasClosed = breaker.kind(nowMs) === 'closed';
            if (call.outcome === 'fault') faultsInRow += 1;
            else if (call.outcome === 'success') faultsInRow = 0;
            const change = breaker.settle(ended, call.outcome, nowMs);
            if (change === 'open' && wasClosed) expect(faultsInRow).toBeGreaterThanOrEqual(2);
          }
          expect(breaker.opensInMs(nowMs)).toBeLessThanOrEqual(openMs);
        }
        expect(breaker.kind(nowMs + openMs)).not.toBe('open');
      }),
    );
  });
});
