import { SimulatedClock } from '@starling/clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallTimers } from '../src/call-timers.ts';

const limits = {
  firstTokenTimeoutMs: 8_000,
  idleTimeoutMs: 8_000,
  totalTimeoutMs: 30_000,
  hardCapMs: 120_000,
};

describe('CallTimers', () => {
  let clock: SimulatedClock;
  let end: { readonly detail: string; readonly atMs: number } | undefined;
  let timers: CallTimers;

  beforeEach(() => {
    clock = new SimulatedClock();
    end = undefined;
    timers = new CallTimers(clock, limits, ({ code, detail }) => {
      expect(code).toBe('provider_timeout');
      expect(end).toBeUndefined();
      end = { detail, atMs: clock.monotonicMs() };
    });
  });

  const drip = async (everyMs: number, untilMs: number) => {
    while (clock.monotonicMs() < untilMs && !end) {
      timers.token();
      await clock.advance(everyMs);
    }
  };

  it('ends a call without a first token after 8 s [C3]', async () => {
    await clock.advance(200_000);
    expect(end).toEqual({ detail: 'first_token_timeout', atMs: 8_000 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends a call that pauses for 8 s, counted from its last token [C3]', async () => {
    await clock.advance(7_000);
    timers.token();
    await clock.advance(5_000);
    timers.token();
    await clock.advance(100_000);
    expect(end).toEqual({ detail: 'idle_timeout', atMs: 20_000 });
  });

  it('ends a slow drip at its total of 30 s [C3]', async () => {
    await drip(4_000, 200_000);
    expect(end).toEqual({ detail: 'total_timeout', atMs: 30_000 });
  });

  it('goes on beyond 30 s while tokens flow, and ends a second after they stop [C3]', async () => {
    await drip(500, 45_000);
    expect(end).toBeUndefined();
    await clock.advance(10_000);
    expect(end).toEqual({ detail: 'total_timeout', atMs: 45_500 });
  });

  it('ends at the hard cap even while tokens flow [C3]', async () => {
    await drip(500, 200_000);
    expect(end).toEqual({ detail: 'total_timeout', atMs: 120_000 });
  });

  it('leaves no timer behind', async () => {
    timers.token();
    timers[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(200_000);
    expect(end).toBeUndefined();
  });
});
