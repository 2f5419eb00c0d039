import { SimulatedClock } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKnobs } from '../../src/core/knobs.ts';
import { InvalidRequests } from '../../src/rest/limits/invalid-requests.ts';
import { type LimitedRequest, RateLimits } from '../../src/rest/limits/rate-limits.ts';
import { SlidingWindow } from '../../src/rest/limits/sliding-window.ts';

const post = (majorId: string): LimitedRequest => ({
  method: 'POST',
  template: '/channels/:channelId/messages',
  family: 'messagesPerChannel',
  majorId,
  exemptFromGlobal: false,
});

/** Most events that any window of `perMs` holds, given their times. */
function busiest(times: readonly number[], perMs: number): number {
  return Math.max(
    0,
    ...times.map((end) => times.filter((at) => at > end - perMs && at <= end).length),
  );
}

describe('SlidingWindow', () => {
  it('never admits more than its limit in any window, and never refuses while there is room', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 120 }),
        (limit, perMs, gaps) => {
          const window = new SlidingWindow({ limit, perMs });
          const admitted: number[] = [];
          let nowMs = 0;
          for (const gap of gaps) {
            nowMs += gap;
            const inside = admitted.filter((at) => at > nowMs - perMs).length;
            const decision = window.admit(nowMs);
            expect(decision.admitted).toBe(inside < limit);
            if (decision.admitted) admitted.push(nowMs);
            expect(decision.remaining).toBe(limit - Math.min(limit, inside + 1));
          }
          expect(busiest(admitted, perMs)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('admits exactly after the time that it told a refused request', () => {
    const window = new SlidingWindow({ limit: 2, perMs: 1000 });
    window.admit(0);
    window.admit(300);
    const { admitted, resetAfterMs } = window.admit(400);
    expect(admitted).toBe(false);
    expect(window.admit(400 + resetAfterMs - 1).admitted).toBe(false);
    expect(window.admit(400 + resetAfterMs).admitted).toBe(true);
  });
});

describe('RateLimits', () => {
  it('keeps every channel and the global limit whatever is sent [D2]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ gap: fc.integer({ min: 0, max: 400 }), channel: fc.integer({ max: 3 }) }),
          { maxLength: 150 },
        ),
        async (sends) => {
          const clock = new SimulatedClock();
          const knobs = createKnobs({ globalPerSecond: 7, messagesPerChannel: { limit: 5 } });
          const limits = new RateLimits(clock, () => knobs.current);
          const byChannel = new Map<string, number[]>();
          for (const { gap, channel } of sends) {
            await clock.advance(gap);
            const majorId = String(channel);
            if (limits.admit(post(majorId)).kind === 'limited') continue;
            byChannel.set(majorId, [...(byChannel.get(majorId) ?? []), clock.monotonicMs()]);
          }
          for (const times of byChannel.values()) expect(busiest(times, 5000)).toBeLessThan(6);
          expect(busiest([...byChannel.values()].flat(), 1000)).toBeLessThan(8);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells a client its bucket, what is left and when the next permit comes', async () => {
    const clock = new SimulatedClock(1_700_000_000_000);
    const knobs = createKnobs();
    const limits = new RateLimits(clock, () => knobs.current);
    const first = limits.admit(post('1'));
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': '1700000005.000',
      'x-ratelimit-reset-after': '5.000',
    });
    await clock.advance(1250);
    for (let sent = 1; sent < 5; sent++) limits.admit(post('1'));
    const refused = limits.admit(post('1'));
    expect(refused).toMatchObject({ kind: 'limited', scope: 'user', retryAfterMs: 3750 });
    expect(refused.headers).toMatchObject({
      'retry-after': '4',
      'x-ratelimit-scope': 'user',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-bucket': first.headers['x-ratelimit-bucket'],
    });
    expect(limits.admit(post('2')).kind).toBe('admitted');
  });

  it('gives edits a bucket of their own and exempts interactions from the global limit', () => {
    const knobs = createKnobs({ globalPerSecond: 1 });
    const limits = new RateLimits(new SimulatedClock(), () => knobs.current);
    const sent = limits.admit(post('1'));
    const edit = { ...post('1'), method: 'PATCH', family: 'editsPerChannel' } as const;
    const refused = limits.admit(edit);
    expect(refused).toMatchObject({ kind: 'limited', scope: 'global' });
    expect(refused.headers).toEqual({
      'retry-after': '1',
      'x-ratelimit-scope': 'global',
      'x-ratelimit-global': 'true',
    });
    const exempt = limits.admit({ ...edit, exemptFromGlobal: true });
    expect(exempt.kind).toBe('admitted');
    expect(exempt.headers['x-ratelimit-bucket']).not.toBe(sent.headers['x-ratelimit-bucket']);
  });

  it('follows a knob that is turned while it runs', () => {
    const knobs = createKnobs({ globalPerSecond: 1 });
    const limits = new RateLimits(new SimulatedClock(), () => knobs.current);
    limits.admit(post('1'));
    expect(limits.admit(post('1')).kind).toBe('limited');
    knobs.set({ globalPerSecond: 500 });
    expect(limits.admit(post('1')).kind).toBe('admitted');
  });

  it('forgets the least recently used bucket at its bound', () => {
    const knobs = createKnobs({ globalPerSecond: 10_000_000 });
    const limits = new RateLimits(new SimulatedClock(), () => knobs.current);
    for (let channel = 0; channel < 50_100; channel++) limits.admit(post(String(channel)));
    expect(limits.bucketCount).toBe(50_000);
  });
});

describe('InvalidRequests', () => {
  it('bans for a window at its limit and lifts the ban after it', async () => {
    const clock = new SimulatedClock();
    const invalid = new InvalidRequests(clock, () => ({ limit: 3, perMs: 600_000 }));
    invalid.add();
    invalid.add();
    expect(invalid.banRemainingMs()).toBe(0);
    invalid.add();
    expect(invalid.banRemainingMs()).toBe(600_000);
    await clock.advance(600_000);
    expect(invalid.banRemainingMs()).toBe(0);
    expect(invalid.count).toBe(0);
  });

  it('lifts a ban when its knob is turned', () => {
    let limit = 1;
    const invalid = new InvalidRequests(new SimulatedClock(), () => ({ limit, perMs: 1000 }));
    invalid.add();
    expect(invalid.banRemainingMs()).toBe(1000);
    limit = 2;
    expect(invalid.banRemainingMs()).toBe(0);
  });

  it('lets old ones fall out of the window', async () => {
    const clock = new SimulatedClock();
    const invalid = new InvalidRequests(clock, () => ({ limit: 2, perMs: 1000 }));
    invalid.add();
    await clock.advance(1001);
    invalid.add();
    expect(invalid.banRemainingMs()).toBe(0);
  });

  it('counts 401, 403 and 429, but no 429 of scope shared', () => {
    const invalid = new InvalidRequests(new SimulatedClock(), () => ({ limit: 2, perMs: 1000 }));
    expect(invalid.isInvalid({ status: 401 })).toBe(true);
    expect(invalid.isInvalid({ status: 403 })).toBe(true);
    expect(invalid.isInvalid({ status: 429, scope: 'user' })).toBe(true);
    expect(invalid.isInvalid({ status: 429, scope: 'shared' })).toBe(false);
    expect(invalid.isInvalid({ status: 404 })).toBe(false);
  });
});
