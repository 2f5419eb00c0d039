import { balancerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { rendezvousRank } from '../src/core/rendezvous.ts';
import type { CoreEffect } from '../src/index.ts';
import { CoreDriver, job, self } from './core-driver.ts';

type EndFailed = Extract<CoreEffect, { kind: 'end_failed' }>;

/** A balancer that has seen ten jobs a second start for four seconds. */
function atTenASecond(): CoreDriver {
  const driver = new CoreDriver();
  for (let n = 0; n < 40; n += 1) {
    driver.nowMs += 100;
    driver.report('w', 1);
    driver.store(`done${n}`, { guildKey: `done${n}` });
    const run = driver.runs.at(-1);
    if (run) driver.answer(run, 'ok');
  }
  return driver;
}

function refusalsOf(effects: readonly CoreEffect[]): readonly EndFailed[] {
  return effects.filter((effect) => effect.kind === 'end_failed');
}

describe('ten thousand jobs at once', () => {
  it('wait as far as they can be in time; the rest is told how many wait and when to come back [B6] [B7]', () => {
    const driver = atTenASecond();
    const refused: EndFailed[] = [];
    for (let n = 0; n < 10_000; n += 1) {
      refused.push(...refusalsOf(driver.store(`j${n}`, { guildKey: `g${n % 100}` })));
    }
    const { waiting } = driver.core;
    expect(waiting).toBeGreaterThan(100);
    expect(waiting).toBeLessThan(700);
    expect(refused).toHaveLength(10_000 - waiting);
    for (const { code, place, retryMs } of refused) {
      expect(code).toBe('too_busy');
      expect(place?.position).toBeGreaterThan(waiting / 2);
      expect(place?.position).toBeLessThanOrEqual(waiting);
      expect(retryMs).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('of one guild are bounded by it, and a quiet guild finds room [B6] [B7]', () => {
    const driver = new CoreDriver();
    let refused = 0;
    for (let n = 0; n < 10_000; n += 1) refused += refusalsOf(driver.store(`j${n}`)).length;
    expect(driver.core.waiting).toBe(1_000);
    expect(refused).toBe(9_000);
    expect(refusalsOf(driver.store('quiet', { guildKey: 'quiet' }))).toEqual([]);
    expect(driver.core.outlook(job('quiet'), 0)?.position).toBeLessThanOrEqual(1);
  });
});

describe('a job beyond the bound of its user', () => {
  const user = { userKey: 'one', guildKey: 'loud' };

  it('is told to come back when the first of that user’s jobs starts [B6]', () => {
    const driver = atTenASecond();
    for (let n = 0; n < 50; n += 1) driver.store(`other${n}`, { guildKey: `g${n}` });
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    const first = driver.core.outlook(job('j0'), driver.nowMs);
    const [refused] = refusalsOf(driver.store('new', user));
    expect(refused).toMatchObject({ code: 'user_busy' });
    expect(refused?.retryMs).toBe(Math.max(1_000, Math.ceil(first?.waitMs ?? 0)));
    expect(refused?.place?.position).toBeGreaterThan(first?.position ?? 0);
  });

  it('is told no time when nobody can tell one', () => {
    const driver = new CoreDriver();
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    const [refused] = refusalsOf(driver.store('new', user));
    expect(refused?.place).toEqual({ position: 10 });
    expect(refused).not.toHaveProperty('retryMs');
  });

  it('is refused by its home alone: another balancer leaves it in line [B4]', () => {
    const driver = new CoreDriver();
    const peer = balancerId.parse('peer');
    driver.step({ kind: 'peer_heard', balancerId: peer });
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    for (let n = 10; n < 30; n += 1) {
      const isHome = rendezvousRank(`j${n}`, self, [peer]) === 0;
      expect(refusalsOf(driver.store(`j${n}`, user))).toHaveLength(isHome ? 1 : 0);
    }
    // One that was handed to us is nobody else's.
    for (let n = 30; n < 35; n += 1) {
      driver.store(`j${n}`, user, 'submitted');
      expect(driver.stateOf(`j${n}`)).toBe('failing');
    }
  });

  it('is queued when it was there before we were, whatever the clocks of two hosts say [B7]', () => {
    const driver = new CoreDriver();
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    const skewed = { ...user, acceptedAtMs: 3_600_000 };
    expect(refusalsOf(driver.store('before', skewed, 'backlog'))).toEqual([]);
    expect(refusalsOf(driver.store('now', { ...user, acceptedAtMs: -3_600_000 }))).toHaveLength(1);
  });
});

describe('a balancer that began a moment ago', () => {
  it('refuses nobody for a line that moves fast enough, and tells how fast it does [B7]', () => {
    const driver = new CoreDriver();
    for (let n = 0; n < 2_000; n += 1) {
      driver.store(`j${n}`, { guildKey: `g${n % 50}`, deadlineAtMs: 90_000 }, 'backlog');
    }
    for (let n = 0; n < 500; n += 1) {
      driver.nowMs += 10;
      driver.report('w', 1);
      const run = driver.runs.at(-1);
      if (run) driver.answer(run, 'ok');
    }
    // A hundred a second start.
    const { nowMs } = driver;
    const last = { guildKey: 'g0', userKey: 'last', deadlineAtMs: nowMs + 20_000 };
    expect(refusalsOf(driver.store('last', last, 'submitted'))).toEqual([]);
    const { position = 0, waitMs = 0 } = driver.core.outlook(job('last'), nowMs) ?? {};
    expect(position).toBeGreaterThan(1_200);
    expect(waitMs / position).toBeGreaterThan(9);
    expect(waitMs / position).toBeLessThan(11);
  });
});
