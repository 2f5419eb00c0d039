import { balancerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { rendezvousRank } from '../src/core/rendezvous.ts';
import type { CoreEffect } from '../src/index.ts';
import { CoreDriver, job, self, worker } from './core-driver.ts';

const peer = balancerId.parse('peer');
const named = (prefix: string, rank: number) => {
  for (let n = 0; ; n += 1) {
    const name = `${prefix}${n}`;
    if (rendezvousRank(name, self, [peer]) === rank) return name;
  }
};
/** Jobs whose home we are; workers that we come first for, and second. */
const [a, b] = [named('a', 0), named('b', 0)];
const [first, second] = [named('w', 0), named('v', 1)];
const runs = (effects: readonly CoreEffect[]) => effects.filter(({ kind }) => kind === 'run');

/** A balancer with one peer, and a worker that dealt so many free slots to that one. */
function beside(name: string, lying: number): CoreDriver {
  const driver = new CoreDriver();
  driver.step({ kind: 'peer_heard', balancerId: peer });
  driver.report(name, 0, lying > 0 ? { grants: { [peer]: lying } } : {});
  return driver;
}
const tickAt = (driver: CoreDriver, nowMs: number) => {
  driver.nowMs = nowMs;
  return driver.step({ kind: 'tick' });
};
const took = (name: string, workerName: string) =>
  ({
    kind: 'peer_took',
    balancerId: peer,
    jobId: job(name),
    workerId: worker(workerName),
  }) as const;

describe('a grant that lies with a peer', () => {
  it('is spent in its place when it has lain for 3 ms a rank [B4]', () => {
    for (const [name, turnMs] of [
      [first, 3],
      [second, 6],
    ] as const) {
      const driver = beside(name, 1);
      expect(driver.store(a)).toEqual([{ kind: 'wake', delayMs: turnMs }]);
      expect(runs(tickAt(driver, turnMs - 1))).toEqual([]);
      expect(tickAt(driver, turnMs)).toMatchObject([{ kind: 'run', jobId: a, workerId: name }]);
      expect(driver.core.counts.borrowed).toBe(1);
    }
  });

  it('is spent at once by a job that comes when it has lain for long, and by one job only', () => {
    const driver = beside(second, 1);
    // What the worker says again makes it no younger.
    driver.pass(500, () => driver.report(second, 0, { grants: { [peer]: 1 } }));
    expect(driver.store(a)).toMatchObject([{ kind: 'run', workerId: second }]);
    expect(runs(driver.store(b))).toEqual([]);
  });

  it('is left alone while a grant of our own is there', () => {
    const driver = beside(first, 4);
    driver.report('own', 1);
    driver.nowMs = 100;
    expect(driver.store(a)).toMatchObject([{ kind: 'run', workerId: 'own' }]);
    expect(driver.core.counts.borrowed).toBe(0);
  });

  it('is spent before ours where our worker is more than a job ahead [B1] [B4]', () => {
    const running = ['x', 'y', 'z'];
    for (const [ahead, chosen] of [
      [1, 'own'],
      [2, first],
    ] as const) {
      const driver = beside(first, 4);
      driver.report('own', 1, { running: running.slice(0, ahead).map(job) });
      driver.nowMs = 100;
      expect(driver.store(a)).toMatchObject([{ kind: 'run', workerId: chosen }]);
      expect(driver.core.counts.borrowed).toBe(chosen === first ? 1 : 0);
    }
  });

  it('is its holder’s again when that one turns out to spend its grants', () => {
    const driver = beside(first, 1);
    driver.nowMs = 100;
    driver.step(took('of-peer', first));
    expect(driver.store(a)).toEqual([]);
    // Dealt to it anew: it has its 3 ms again.
    driver.report(first, 0, { grants: { [peer]: 1 } });
    expect(runs(tickAt(driver, 102))).toEqual([]);
    expect(runs(tickAt(driver, 103))).toHaveLength(1);
  });

  it('may be ours: what a peer takes without a grant of its own is not spent once more', () => {
    const driver = beside(first, 0);
    driver.report(first, 1);
    driver.step(took('of-peer', first));
    expect(runs(driver.store(a))).toEqual([]);
    driver.report(first, 1);
    expect(driver.runs).toHaveLength(1);
  });

  it('is not spent by a job that shares a call', () => {
    const driver = beside(first, 1);
    driver.nowMs = 100;
    driver.step({ ...took('of-peer', first), follows: true });
    expect(runs(driver.store(a))).toHaveLength(1);
  });

  it('is nobody’s while its worker drains, or was silent for 750 ms [B3] [B8]', () => {
    const draining = beside(first, 1);
    draining.report(first, 0, { grants: { [peer]: 1 }, draining: true });
    draining.nowMs = 100;
    expect(draining.store(a)).toEqual([]);
    const silent = beside(first, 1);
    silent.nowMs = 750;
    expect(runs(silent.store(a))).toEqual([]);
  });

  it('costs a hop when its holder was quicker: the job waits for the next report [B4]', () => {
    const driver = beside(first, 1);
    driver.nowMs = 100;
    driver.store(a);
    const [run] = driver.runs;
    if (!run) throw new Error('nothing was sent');
    driver.answer(run, 'full');
    expect(driver.stateOf(a)).toBe('waiting');
    expect(runs(driver.pass(250))).toEqual([]);
    driver.report(first, 1);
    expect(driver.runs).toHaveLength(2);
  });

  it('is spent although we hold one, when our worker does not serve the model', () => {
    const driver = beside(first, 1);
    driver.report('own', 1, { models: { served: ['small'], loaded: [] } });
    driver.nowMs = 100;
    const stored = driver.store(a, { model: 'large' });
    expect(stored).toMatchObject([{ kind: 'run', workerId: first }]);
  });

  it('takes no job whose model its worker does not serve', () => {
    const models = { served: ['small'], loaded: [] };
    const driver = new CoreDriver();
    driver.report(first, 0, { grants: { [peer]: 1 }, models });
    driver.nowMs = 100;
    expect(runs(driver.store(a, { model: 'large' }))).toEqual([]);
    expect(runs(driver.store(b, { model: 'small' }))).toHaveLength(1);
  });
});
