import { SimulatedClock } from '@starling/clock';
import { log } from '@starling/telemetry';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClockWatch } from '../src/balancer/clock-watch.ts';

describe('a watch on the clocks of other hosts', () => {
  const clock = new SimulatedClock();
  const logger = log('fleet', 'balancer');
  let telemetry: ReturnType<typeof captureTelemetry>;
  let watch: ClockWatch;

  beforeEach(() => {
    telemetry = captureTelemetry({ clock });
    vi.spyOn(logger, 'warn').mockReset();
    watch = new ClockWatch({ clock, now: () => clock.nowMs(), log: logger });
  });

  afterEach(() => telemetry[Symbol.asyncDispose]());

  async function hear(aheadMs: number, words = 40): Promise<void> {
    for (let word = 0; word < words; word += 1) {
      watch.heard('worker w0', clock.nowMs() - aheadMs);
      await clock.advance(10_000 / words);
      watch.look();
    }
  }

  it('tells of one that is two seconds off, once a minute, and counts it', async () => {
    for (let window = 0; window < 12; window += 1) await hear(-2_500);
    expect(vi.mocked(logger.warn).mock.calls).toEqual([
      ['clock.skewed', { source: 'worker w0', behindMs: -2_500 }],
      ['clock.skewed', { source: 'worker w0', behindMs: -2_500 }],
    ]);
    const counted = (await telemetry.metrics()).filter(
      ({ name }) => name === 'starling.clock.skewed',
    );
    expect(counted).toMatchObject([{ value: 2, attributes: { source: 'worker' } }]);
  });

  it('takes late words for no skew while some come in time, nor one word for proof', async () => {
    for (let window = 0; window < 3; window += 1) {
      await hear(9_000, 20);
      watch.heard('worker w0', clock.nowMs() - 40);
    }
    for (let window = 0; window < 3; window += 1) await hear(9_000, 1);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('tells of whose jobs are past their deadline when they are stored, or have hours left', async () => {
    for (let window = 0; window < 2; window += 1) {
      for (let job = 0; job < 4; job += 1) {
        const storedAtMs = clock.nowMs();
        watch.stored({ owner: 'late', deadlineAtMs: storedAtMs - 500, storedAtMs });
        watch.stored({ owner: 'early', deadlineAtMs: storedAtMs + 3_600_000, storedAtMs });
        watch.stored({ owner: 'right', deadlineAtMs: storedAtMs + 60_000, storedAtMs });
        await clock.advance(2_500);
        watch.look();
      }
    }
    const sources = vi.mocked(logger.warn).mock.calls.map(([, detail]) => detail?.source);
    expect(sources).toEqual(['owner late', 'owner early']);
  });
});
