/** The balancer's core where jobs may share a call: whom it sends where, without a grant. */
import { balancerId, type CallKey, callKey } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { rendezvousRank } from '../src/core/rendezvous.ts';
import type { CoreEffect } from '../src/index.ts';
import { CoreDriver, job, self, worker } from './core-driver.ts';

const peer = balancerId.parse('peer');
const keyOf = (n: number): CallKey => callKey.parse(`key-${n}`.padEnd(22, '_'));
const key = keyOf(0);
const shares = { callKey: key };
const runs = (effects: readonly CoreEffect[]) => effects.filter(({ kind }) => kind === 'run');

/** A key that has its home here, or at the peer. */
function keyAt(home: 'self' | 'peer'): CallKey {
  for (let n = 0; ; n += 1) {
    const found = keyOf(n);
    if ((rendezvousRank(found, self, [peer]) === 0) === (home === 'self')) return found;
  }
}

/** A fleet whose one slot runs `leader`, and says so. */
function withLeader(header: { readonly callKey?: CallKey } = shares): CoreDriver {
  const driver = new CoreDriver();
  driver.report('w', 1);
  driver.store('leader', header);
  const [run] = driver.runs;
  if (run) driver.answer(run, 'ok');
  driver.report('w', 0, { running: [job('leader')] });
  return driver;
}

describe('a job that may share a call', () => {
  it('goes to the worker that holds it, at once and without a grant [A8]', () => {
    const driver = withLeader();
    expect(driver.store('b', shares)).toMatchObject([
      { kind: 'run', jobId: 'b', workerId: 'w', callKey: key, follows: true, attempt: 1 },
    ]);
    expect(driver.store('c', { callKey: keyOf(1) })).toEqual([]);
    expect(driver.store('d')).toEqual([]);
    expect(driver.core.counts.followed).toBe(1);
    expect(driver.runs.at(-1)?.explanation).toMatchObject({
      decidedBy: 'call',
      candidates: [{ workerId: 'w', verdict: 'chosen' }],
    });
  });

  it('spends no grant and is charged nothing: the next job finds the slot, in its own turn [A8] [B6]', () => {
    const driver = withLeader();
    driver.report('w', 1, { running: [job('leader')] });
    driver.store('b', { ...shares, guildKey: 'big' });
    expect(driver.core.freeSlots(driver.nowMs)).toBe(1);
    driver.store('other');
    expect(driver.runs.map(({ jobId, follows }) => [jobId, follows])).toEqual([
      ['leader', false],
      ['b', true],
      ['other', false],
    ]);
    // What it was never charged is not given back when it ends.
    driver.report('w', 0, { ended: [{ jobId: job('b'), tokens: 0 }] });
    driver.store('of-big', { guildKey: 'big' });
    driver.nowMs += 1;
    driver.store('of-new', { guildKey: 'new' });
    driver.report('w', 1, { running: [job('other')] });
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'of-big' });
  });

  it('follows as soon as one that waited with it has a slot [A8]', () => {
    const driver = new CoreDriver();
    for (const name of ['a', 'b', 'c']) driver.store(name, shares);
    expect(driver.runs).toEqual([]);
    driver.report('w', 3);
    expect(driver.runs.map(({ jobId, follows }) => [jobId, follows])).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
    ]);
    expect(driver.core.freeSlots(driver.nowMs)).toBe(2);
  });

  it('is not refused for the length of a line that it does not stand in [A8] [B7]', () => {
    const driver = withLeader();
    const user = { userKey: 'one' };
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    expect(driver.store('other', user)).toMatchObject([{ kind: 'end_failed', code: 'user_busy' }]);
    expect(driver.store('b', { ...shares, ...user })).toMatchObject([{ kind: 'run' }]);
  });

  it('has the same home as the others of its key, which acts at once [A8] [B4]', () => {
    const driver = new CoreDriver();
    driver.step({ kind: 'peer_heard', balancerId: peer });
    driver.report('w', 4);
    for (const name of ['a', 'b', 'c']) driver.store(name, { callKey: keyAt('self') });
    expect(driver.runs).toHaveLength(3);
    for (const name of ['d', 'e']) driver.store(name, { callKey: keyAt('peer') });
    expect(driver.runs).toHaveLength(3);
    driver.nowMs = 3;
    driver.step({ kind: 'tick' });
    expect(driver.runs.slice(3).map(({ follows }) => follows)).toEqual([false, true]);
  });

  it('follows one that a peer sent out, or that only a report has told of [A8] [B4]', () => {
    const driver = new CoreDriver();
    driver.report('w', 0);
    driver.store('a', shares);
    driver.step({ kind: 'peer_took', balancerId: peer, jobId: job('a'), workerId: worker('w') });
    expect(runs(driver.store('b', shares))).toMatchObject([{ workerId: 'w', follows: true }]);

    driver.report('x', 0, { running: [job('unseen')] });
    driver.store('unseen', { callKey: keyOf(1) });
    const late = driver.store('c', { callKey: keyOf(1) });
    expect(runs(late)).toMatchObject([{ workerId: 'x', follows: true }]);
  });

  it('is as alive as any other while its worker lists it among those that follow [A8] [A6]', () => {
    const driver = withLeader();
    driver.store('b', shares);
    const [, run] = driver.runs;
    if (run) driver.answer(run, 'ok');
    const listed = { running: [job('leader')], following: [job('b')] };
    expect(driver.pass(6_000, () => driver.report('w', 0, listed))).toEqual([]);
    const silent = driver.pass(4_000, () => driver.report('w', 0, { running: [job('leader')] }));
    expect(silent).toContainEqual({ kind: 'read_ledger', jobId: 'b' });
  });
});

describe('a call that is over', () => {
  it('has its answer for 5 s, also when it was delivered already, and not longer [A8]', () => {
    const driver = withLeader();
    driver.report('w', 0, { ended: [{ jobId: job('leader'), tokens: 50 }] });
    driver.step({ kind: 'job_gone', jobId: job('leader') });
    driver.pass(4_750, () => driver.report('w', 0));
    expect(runs(driver.store('b', shares))).toMatchObject([{ follows: true }]);
    driver.report('w', 0, { ended: [{ jobId: job('b'), tokens: 0 }] });
    driver.pass(5_000, () => driver.report('w', 0));
    expect(runs(driver.store('c', shares))).toEqual([]);
  });

  it('goes on while one that followed is there, when the one that led has ended [A8]', () => {
    const driver = withLeader();
    driver.store('b', shares);
    driver.report('w', 0, { running: [job('b')], ended: [{ jobId: job('leader'), tokens: 0 }] });
    driver.pass(8_000, () => driver.report('w', 0, { running: [job('b')] }));
    expect(runs(driver.store('c', shares))).toMatchObject([{ workerId: 'w', follows: true }]);
  });
});

describe('a worker that will not have it follow', () => {
  it('is asked no more: the job waits in line, for whoever has a slot [A8]', () => {
    const driver = withLeader();
    driver.store('b', shares);
    const [, run] = driver.runs;
    if (run) driver.answer(run, 'call_gone');
    expect([driver.runs.length, driver.stateOf('b')]).toEqual([2, 'waiting']);
    // It had the call: that the job may not share it is its last word, whatever it runs.
    driver.report('w', 0, { running: [job('leader')] });
    expect(driver.runs).toHaveLength(2);
    driver.report('x', 1);
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'b', workerId: 'x', follows: false });
    expect(runs(driver.store('c', shares))).toMatchObject([{ workerId: 'x', follows: true }]);
    expect(driver.core.counts.callsGone).toBe(1);
  });

  it('had no slot for the one that was to lead: both try again, and still share [A8]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a', shares);
    driver.store('b', shares);
    const [led, followed] = driver.runs;
    if (led) driver.answer(led, 'full');
    if (followed) driver.answer(followed, 'call_gone');
    driver.report('w', 1);
    expect(driver.runs.slice(2).map(({ jobId, follows }) => [jobId, follows])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  it.each(['full', 'draining', 'absent'] as const)('is not asked again and again: %s', (answer) => {
    const driver = withLeader();
    driver.store('b', shares);
    const [, run] = driver.runs;
    if (run) driver.answer(run, answer);
    driver.pass(1_000, () => driver.report('w', 0, { running: [job('leader')] }));
    expect(driver.runs).toHaveLength(2);
  });

  it('is dead: nobody follows a worker that is not heard, and a new call takes its place [A8] [B3]', () => {
    const driver = withLeader();
    driver.nowMs += 750;
    expect(driver.store('b', shares)).toEqual([]);
    driver.report('x', 1);
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'b', workerId: 'x', follows: false });
    expect(runs(driver.store('c', shares))).toMatchObject([{ workerId: 'x', follows: true }]);
  });

  it('died: leader and followers are driven again together, by one new call [A8] [B5]', () => {
    const driver = withLeader();
    driver.store('b', shares);
    const [, run] = driver.runs;
    if (run) driver.answer(run, 'ok');
    const readAll = () => {
      for (const [name, revision] of [
        ['leader', 7],
        ['b', 8],
      ] as const) {
        const read = { kind: 'run', revision, attempt: 1 } as const;
        driver.step({ kind: 'ledger_read', jobId: job(name), read });
      }
    };
    driver.pass(3_500);
    readAll();
    driver.pass(500);
    readAll();
    driver.report('x', 1);
    const again = driver.runs.slice(2);
    expect(again.map(({ follows }) => follows)).toEqual([false, true]);
    expect(new Map(again.map((one) => [one.jobId, [one.attempt, one.previousRevision]]))).toEqual(
      new Map([
        ['leader', [2, 7]],
        ['b', [2, 8]],
      ]),
    );
    expect(again.every(({ workerId }) => workerId === 'x')).toBe(true);
  });
});

describe('what is remembered of calls', () => {
  it('is bounded: the one that ended first is forgotten [A8]', () => {
    const driver = new CoreDriver({ callsKept: 2 });
    for (let n = 0; n < 3; n += 1) {
      driver.report('w', 1);
      driver.store(`a${n}`, { callKey: keyOf(n) });
      driver.report('w', 0, { ended: [{ jobId: job(`a${n}`), tokens: 1 }] });
    }
    const followed = [0, 1, 2].map(
      (n) => runs(driver.store(`b${n}`, { callKey: keyOf(n) })).length,
    );
    expect(followed).toEqual([0, 1, 1]);
  });
});
