import { balancerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { rendezvousRank } from '../src/core/rendezvous.ts';
import { type CoreEffect, defaultCoreLimits, type LedgerRead } from '../src/index.ts';
import { CoreDriver, job, self, worker } from './core-driver.ts';

const peer = balancerId.parse('peer');
const kinds = (effects: readonly CoreEffect[]) => effects.map(({ kind }) => kind);
const named = (prefix: string, accept: (name: string) => boolean) => {
  for (let n = 0; ; n += 1) if (accept(`${prefix}${n}`)) return `${prefix}${n}`;
};
const ofPeer = named('j', (name) => rendezvousRank(name, self, [peer]) === 1);
const ofSelf = named('j', (name) => rendezvousRank(name, self, [peer]) === 0);

/** A job that is claimed and runs at `w`. */
function withRunning(): CoreDriver {
  const driver = new CoreDriver();
  driver.report('w', 1);
  driver.store('a');
  const [run] = driver.runs;
  if (run) driver.answer(run, 'ok');
  return driver;
}

describe('who takes a job', () => {
  it('dispatches a job at once when a grant is held, and not before [B4]', () => {
    const driver = new CoreDriver();
    driver.store('a');
    expect(driver.runs).toEqual([]);
    driver.report('w', 1);
    expect(driver.runs).toMatchObject([
      { jobId: 'a', workerId: 'w', attempt: 1, previousRevision: undefined },
    ]);
  });

  it('spends a grant once, however many jobs wait [B1]', () => {
    const driver = new CoreDriver();
    driver.report('w', 2);
    for (let n = 0; n < 5; n += 1) driver.store(`j${n}`);
    expect(driver.runs).toHaveLength(2);
    // Neither an answer nor the loss of a race gives a grant back: only a report does.
    for (const [index, run] of driver.runs.entries()) driver.answer(run, index ? 'lost' : 'ok');
    expect(driver.runs).toHaveLength(2);
    driver.report('w', 1, { running: [job('j0')] });
    expect(driver.runs).toHaveLength(3);
  });

  it('takes a report for a credit for 750 ms and no longer [B3]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.nowMs = 749;
    expect(driver.core.freeSlots(driver.nowMs)).toBe(1);
    driver.nowMs = 750;
    driver.store('a');
    expect(driver.runs).toEqual([]);
    expect(driver.core.counts.grantsVoid).toBe(1);
  });

  it('leaves a new job to its home for 3 ms, and then takes it [B4]', () => {
    const driver = new CoreDriver();
    driver.step({ kind: 'peer_heard', balancerId: peer });
    driver.report('w', 2);
    expect(kinds(driver.store(ofSelf))).toEqual(['run']);
    expect(driver.store(ofPeer)).toEqual([{ kind: 'wake', delayMs: 3 }]);
    driver.nowMs = 3;
    expect(kinds(driver.step({ kind: 'tick' }))).toEqual(['run']);
  });

  it('takes the home’s jobs at once when the home is dead for three heartbeats [B4]', () => {
    const driver = new CoreDriver();
    driver.step({ kind: 'peer_heard', balancerId: peer });
    driver.pass(750);
    driver.report('w', 1);
    expect(kinds(driver.store(ofPeer))).toEqual(['run']);
  });

  it('leaves a job that a peer took, and takes it back when no report lists it in 500 ms [B4]', () => {
    const driver = new CoreDriver();
    driver.store('a');
    driver.store('b');
    for (const name of ['a', 'b']) {
      const hint = { jobId: job(name), workerId: worker('w') };
      driver.step({ kind: 'peer_took', balancerId: peer, ...hint });
    }
    driver.report('w', 1, { running: [job('b')] });
    expect(driver.runs).toEqual([]);
    driver.pass(500, () => driver.report('w', 1, { running: [job('b')] }));
    expect(driver.runs).toMatchObject([{ jobId: 'a' }]);
    expect(driver.stateOf('b')).toBe('running');
    expect(driver.core.counts.hintsVoid).toBe(1);
  });

  it('believes a hint, and a report, that come before the feed shows the job', () => {
    const driver = new CoreDriver();
    driver.report('w', 1, { running: [job('b')] });
    const hint = { jobId: job('a'), workerId: worker('x') };
    driver.step({ kind: 'peer_took', balancerId: peer, ...hint });
    driver.store('a');
    driver.store('b');
    expect(driver.runs).toEqual([]);
  });

  it('does not let a job whose model nobody free serves hold up the others', () => {
    const driver = new CoreDriver();
    const models = { served: ['small'], loaded: ['small'] };
    driver.store('large', { model: 'large' });
    driver.store('small', { model: 'small' });
    driver.store('any');
    driver.report('w', 3, { models });
    expect(driver.runs.map(({ jobId }) => jobId).sort()).toEqual(['any', 'small']);
    driver.report('gpu', 1, { models: { served: ['large'], loaded: [] } });
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'large', workerId: 'gpu' });
  });

  it('gives up a job whose model no live worker serves, once all had time to say so [B1]', () => {
    const driver = new CoreDriver();
    const report = () => {
      driver.report('api', 0, { models: { served: ['small'], loaded: ['small'] } });
      driver.report('leaving', 0, {
        draining: true,
        models: { served: ['large'], loaded: ['large'] },
      });
    };
    const given = () => {
      const ends = driver.said.filter((effect) => effect.kind === 'end_failed');
      return [...new Set(ends.map(({ code, jobId }) => `${jobId} ${code}`))];
    };
    for (const model of ['small', 'large', 'none']) driver.store(model, { model });
    driver.pass(4_900, report);
    expect(given()).toEqual([]);
    driver.pass(500, report);
    expect(given()).toEqual(['none model_not_found']);
    // What served it is gone for good.
    driver.pass(10_000, () =>
      driver.report('api', 0, { models: { served: ['small'], loaded: [] } }),
    );
    expect(given()).toEqual(['none model_not_found', 'large model_not_found']);
    expect(driver.stateOf('small')).toBe('waiting');
  });

  it('lets what has long waited go on waiting for its only worker while that restarts [B1]', () => {
    const driver = new CoreDriver();
    const api = () => driver.report('api', 0, { models: { served: ['small'], loaded: [] } });
    const gpu = (granted: number) =>
      driver.report('gpu', granted, { models: { served: ['large'], loaded: [] } });
    driver.store('a', { model: 'large' });
    driver.pass(11_500, () => {
      api();
      gpu(0);
    });
    // Silent for longer than one that lives, and back before the job has waited for it as it should.
    driver.pass(7_500, api);
    expect(driver.stateOf('a')).toBe('waiting');
    gpu(1);
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'a', workerId: 'gpu' });
  });

  it('lets it wait while a worker may serve any model, none is known, or nothing is heard [B1]', () => {
    const models = { served: ['small'], loaded: ['small'] };
    const situations: readonly ((driver: CoreDriver) => void)[] = [
      () => {},
      (driver) => {
        driver.report('api', 0, { models });
        driver.report('any', 0);
      },
      (driver) => {
        driver.step({ kind: 'disconnected' });
        driver.report('api', 0, { models });
      },
    ];
    for (const eachTick of situations) {
      const driver = new CoreDriver();
      driver.store('a', { model: 'large' });
      driver.pass(40_000, () => eachTick(driver));
      expect(driver.stateOf('a')).toBe('waiting');
    }
  });

  it('sends a conversation to its last worker, also when a peer chose that one [B1]', () => {
    const driver = new CoreDriver();
    driver.store('a', { conversationKey: 'c' });
    const hint = { jobId: job('a'), workerId: worker('w7') };
    driver.step({ kind: 'peer_took', balancerId: peer, ...hint });
    for (let n = 0; n < 9; n += 1) driver.report(`w${n}`, 1);
    driver.store('b', { conversationKey: 'c' });
    expect(driver.runs).toMatchObject([{ jobId: 'b', workerId: 'w7' }]);
  });
});

describe('what a worker answers', () => {
  it.each(['full', 'draining', 'absent'] as const)(
    '%s: the next worker, and this one no more until it reports [B4] [B8]',
    (answer) => {
      const driver = new CoreDriver();
      driver.report('w', 4);
      driver.store('a');
      driver.report('x', 1);
      const [first] = driver.runs;
      if (!first) throw new Error('nothing was sent');
      driver.answer(first, answer);
      expect(driver.runs).toMatchObject([{ workerId: 'w' }, { workerId: 'x' }]);
      driver.store('b');
      expect(driver.runs).toHaveLength(2);
      driver.report('w', 4);
      expect(driver.runs).toMatchObject([{}, {}, { jobId: 'b', workerId: 'w' }]);
    },
  );

  it('asks again who refused, once it reports room and nobody else has any', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a');
    const [first] = driver.runs;
    if (first) driver.answer(first, 'full');
    expect(driver.runs).toHaveLength(1);
    driver.report('w', 1);
    expect(driver.runs).toHaveLength(2);
  });

  it('silent: the ledger is asked, and nothing assumed [A6]', () => {
    const driver = new CoreDriver();
    for (const name of ['w', 'x']) driver.report(name, 1);
    driver.store('a');
    driver.store('b');
    const [first, second] = driver.runs;
    if (!first || !second) throw new Error('two were to be sent');
    expect(driver.answer(first, 'silent')).toEqual([{ kind: 'read_ledger', jobId: first.jobId }]);
    driver.answer(second, 'silent');
    driver.step({ kind: 'ledger_read', jobId: first.jobId, read: { kind: 'none' } });
    expect(driver.stateOf(first.jobId)).toBe('waiting');
    const read = { kind: 'run', revision: 4, attempt: 1 } as const;
    driver.step({ kind: 'ledger_read', jobId: second.jobId, read });
    // It was claimed a moment ago: that it is silent for 3 s is yet to be seen.
    expect(driver.stateOf(second.jobId)).toBe('running');
    expect(driver.pass(2_500)).toEqual([]);
  });

  it('repeats a ledger question that nobody answered', () => {
    const driver = withRunning();
    const asked = driver.pass(6_000).filter(({ kind }) => kind === 'read_ledger');
    expect(asked.length).toBeGreaterThanOrEqual(3);
  });
});

describe('a job that no report lists', () => {
  const run = (revision: number, attempt = 1) => ({ kind: 'run', revision, attempt }) as const;
  const read = (driver: CoreDriver, entry: LedgerRead) =>
    driver.step({ kind: 'ledger_read', jobId: job('a'), read: entry });
  const asks = (effects: readonly CoreEffect[]) =>
    effects.filter(({ kind }) => kind === 'read_ledger').length;

  it('is driven again after 3 s and two equal reads, over the claim that was read [A6] [A7]', () => {
    const driver = withRunning();
    expect(asks(driver.pass(2_750))).toBe(0);
    expect(asks(driver.pass(500))).toBe(1);
    read(driver, run(8));
    // The same answer once more, at once, is no second look.
    read(driver, run(8));
    expect(driver.stateOf('a')).toBe('checking');
    expect(asks(driver.pass(500))).toBe(1);
    driver.report('x', 1);
    read(driver, run(8));
    expect(driver.runs.at(-1)).toMatchObject({ workerId: 'x', attempt: 2, previousRevision: 8 });
    expect(driver.core.counts.redriven).toBe(1);
  });

  it('is left alone when the claim changed between the reads, or a report lists it meanwhile', () => {
    const driver = withRunning();
    driver.pass(3_250);
    read(driver, run(8));
    driver.pass(500);
    read(driver, run(9, 2));
    expect(driver.stateOf('a')).toBe('checking');
    driver.report('y', 0, { running: [job('a')], attempts: { [job('a')]: 2 } });
    expect(driver.stateOf('a')).toBe('running');
    // A zombie of the first attempt is no sign of life.
    driver.pass(3_250, () => driver.report('w', 0, { running: [job('a')] }));
    expect(driver.stateOf('a')).toBe('checking');
  });

  it('is forgotten to be run when the ledger has its end', () => {
    const driver = withRunning();
    driver.pass(3_250);
    read(driver, { kind: 'end' });
    expect(driver.stateOf('a')).toBe('ended');
  });

  it('is given up after three attempts, with an honest end [A6]', () => {
    const driver = withRunning();
    driver.pass(3_250);
    read(driver, run(20, 3));
    driver.pass(500);
    const effects = read(driver, run(20, 3));
    expect(effects).toEqual([
      { kind: 'end_failed', jobId: 'a', code: 'gave_up', previousRevision: 20, attempt: 3 },
    ]);
  });

  it('is not silent while we are cut off, nor for 3 s after [A6]', () => {
    const driver = withRunning();
    driver.pass(1_000);
    driver.step({ kind: 'disconnected' });
    expect(asks(driver.pass(20_000))).toBe(0);
    driver.step({ kind: 'connected' });
    // 3 s of grace, and 2 s that were left of its 3.
    expect(asks(driver.pass(4_750))).toBe(0);
    expect(asks(driver.pass(500))).toBe(1);
  });

  it('is not silent because we slept [A6]', () => {
    const driver = withRunning();
    driver.pass(250);
    driver.nowMs += 30_000;
    expect(asks(driver.step({ kind: 'tick' }))).toBe(0);
    expect(driver.core.counts.slept).toBe(1);
    driver.report('w', 0, { running: [job('a')] });
    expect(asks(driver.pass(2_500))).toBe(0);
  });

  it('goes to the next worker at once when an operator released it [A7]', () => {
    const driver = withRunning();
    driver.pass(3_250);
    driver.report('x', 1);
    const released = { kind: 'released', revision: 5, attempt: 1 } as const;
    driver.step({ kind: 'ledger_read', jobId: job('a'), read: released });
    expect(driver.runs.at(-1)).toMatchObject({ workerId: 'x', attempt: 2, previousRevision: 5 });
  });

  it('is looked up as soon as somebody says that it was let go of [B5]', () => {
    const driver = withRunning();
    driver.report('x', 1);
    expect(kinds(driver.step({ kind: 'job_released', jobId: job('a') }))).toEqual(['read_ledger']);
    read(driver, { kind: 'released', revision: 5, attempt: 1 });
    expect(driver.runs.at(-1)).toMatchObject({ workerId: 'x', attempt: 2, previousRevision: 5 });
  });

  it('goes on when it was claimed again before it was looked up [B5]', () => {
    const driver = withRunning();
    driver.step({ kind: 'job_released', jobId: job('a') });
    read(driver, run(6, 2));
    expect(driver.stateOf('a')).toBe('running');
    expect(driver.runs).toHaveLength(1);
  });

  it('waits although the worker that let go of it still lists it in a late report [B5]', () => {
    const driver = withRunning();
    driver.step({ kind: 'job_released', jobId: job('a') });
    read(driver, { kind: 'released', revision: 5, attempt: 1 });
    driver.report('w', 0, { running: [job('a')] });
    expect(driver.stateOf('a')).toBe('waiting');
  });

  it('is given up when its third worker let go of it, unless an operator wants another try [A6] [A7]', () => {
    for (const [byOperator, kind] of [
      [false, 'end_failed'],
      [true, 'run'],
    ] as const) {
      const driver = withRunning();
      driver.report('x', 1);
      driver.step({ kind: 'job_released', jobId: job('a') });
      const effects = read(driver, { kind: 'released', revision: 9, attempt: 3, byOperator });
      expect(effects).toMatchObject([{ kind, previousRevision: 9 }]);
      expect(driver.core.counts.exhausted).toBe(byOperator ? 0 : 1);
    }
  });

  it('is run without a claim to replace when the ledger has forgotten the one that was read [A6]', () => {
    const driver = withRunning();
    driver.step({ kind: 'job_released', jobId: job('a') });
    read(driver, { kind: 'released', revision: 5, attempt: 1 });
    driver.report('x', 1);
    const retry = driver.runs.at(-1);
    if (retry) driver.answer(retry, 'silent');
    read(driver, { kind: 'none' });
    driver.report('y', 1);
    expect(driver.runs.at(-1)).toMatchObject({ attempt: 2, previousRevision: undefined });
  });
});

describe('a job that cannot be answered', () => {
  it('is ended by its home at the deadline, by another a second later [B7]', () => {
    for (const [name, delayMs] of [
      [ofSelf, 0],
      [ofPeer, 1_000],
    ] as const) {
      const driver = new CoreDriver();
      const beat = () => driver.step({ kind: 'peer_heard', balancerId: peer });
      beat();
      driver.store(name, { deadlineAtMs: 5_000 });
      expect(driver.pass(3_750, beat)).toEqual([]);
      expect(kinds(driver.pass(250 + delayMs, beat))).toEqual(['end_failed']);
      const end = { kind: 'end_failed', jobId: name, code: 'deadline_exceeded' };
      expect(driver.said.at(-1)).toMatchObject(end);
      expect(driver.core.counts.stoodIn).toBe(delayMs > 0 ? 1 : 0);
    }
  });

  it('is ended in its worker’s place 5 s after the deadline, over the worker’s claim', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a', { deadlineAtMs: 6_000 });
    const [run] = driver.runs;
    if (run) driver.answer(run, 'ok');
    const busy = () => driver.report('w', 0, { running: [job('a')] });
    expect(driver.pass(10_750, busy)).toEqual([]);
    expect(kinds(driver.pass(250, busy))).toEqual(['read_ledger']);
    const read = { kind: 'run', revision: 3, attempt: 1 } as const;
    expect(driver.step({ kind: 'ledger_read', jobId: job('a'), read })).toMatchObject([
      { kind: 'end_failed', code: 'deadline_exceeded', previousRevision: 3 },
    ]);
  });

  it('is ended anew when the ledger has forgotten the claim that its end was to replace [F10]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a', { deadlineAtMs: 6_000 });
    const [run] = driver.runs;
    if (run) driver.answer(run, 'ok');
    driver.pass(11_000, () => driver.report('w', 0, { running: [job('a')] }));
    const claim = { kind: 'run', revision: 3, attempt: 1 } as const;
    driver.step({ kind: 'ledger_read', jobId: job('a'), read: claim });
    const none = () =>
      driver.step({ kind: 'ledger_read', jobId: job('a'), read: { kind: 'none' } });
    const end = { kind: 'end_failed', code: 'deadline_exceeded', previousRevision: undefined };
    expect(none()).toMatchObject([end]);
    // Not in a tight loop, should the ledger go on like this.
    expect(none()).toEqual([]);
    expect(driver.pass(1_000)).toMatchObject([end]);
  });

  it('runs after all when its end is refused by a claim', () => {
    const driver = new CoreDriver();
    driver.store('a', { deadlineAtMs: 1_200 });
    expect(kinds(driver.pass(250))).toEqual(['end_failed']);
    const read = { kind: 'run', revision: 3, attempt: 1 } as const;
    driver.step({ kind: 'ledger_read', jobId: job('a'), read });
    expect(driver.stateOf('a')).toBe('running');
  });

  it('is refused beyond the bounds, but not when it was accepted under them [B7]', () => {
    const driver = new CoreDriver();
    const user = { userKey: 'one' };
    for (let n = 0; n < 10; n += 1) driver.store(`j${n}`, user);
    expect(driver.store('new', user)).toMatchObject([{ kind: 'end_failed', code: 'user_busy' }]);
    expect(driver.store('old', user, 'backlog')).toEqual([]);
    expect(driver.stateOf('old')).toBe('waiting');
  });

  it('of ten thousand at once is queued within the bounds, and else told where it would stand [B6] [B7]', () => {
    const driver = new CoreDriver({
      queue: { ...defaultCoreLimits.queue, perLane: 8_000 },
    });
    let refused = 0;
    for (let n = 0; n < 10_000; n += 1) {
      const [effect] = driver.store(`j${n}`, { guildKey: `g${n % 50}` });
      if (effect?.kind !== 'end_failed') continue;
      refused += 1;
      expect(effect).toMatchObject({ code: 'too_busy', place: { position: 8_000 } });
    }
    expect([driver.core.waiting, refused]).toEqual([8_000, 2_000]);
  });

  it('is refused at once when its wait would outlast its deadline, and told its place before [B6] [B7]', () => {
    const driver = new CoreDriver();
    for (let n = 0; n < 40; n += 1) {
      driver.nowMs += 100;
      driver.report('w', 1);
      driver.store(`done${n}`);
      const run = driver.runs.at(-1);
      if (run) driver.answer(run, 'ok');
    }
    for (let n = 0; n < 200; n += 1) driver.store(`j${n}`);
    const outlook = driver.core.outlook(job('j199'), driver.nowMs);
    expect(outlook?.position).toBe(199);
    // Ten a second started lately.
    expect(outlook?.waitMs).toBeGreaterThan(10_000);
    const hurried = driver.store('late', { deadlineAtMs: driver.nowMs + 5_000 });
    expect(hurried).toMatchObject([{ kind: 'end_failed', code: 'too_busy' }]);
    // A guild that has nothing waiting stands far ahead, and has the time.
    const other = { guildKey: 'quiet', deadlineAtMs: driver.nowMs + 5_000 };
    expect(driver.store('quick', other)).toEqual([]);
  });
});

describe('a job that ended', () => {
  it('is told to its owner after 6 s, and forgotten once deleted [A6]', () => {
    const driver = withRunning();
    driver.report('w', 0, { ended: [{ jobId: job('a'), tokens: 500 }] });
    expect(driver.stateOf('a')).toBe('ended');
    expect(driver.pass(5_750)).toEqual([]);
    expect(driver.pass(250)).toEqual([{ kind: 'wake_owner', jobId: 'a' }]);
    driver.step({ kind: 'job_gone', jobId: job('a') });
    expect(driver.core.tracked).toBe(0);
  });

  it('is looked after by its home, and by the next one once that is gone [A6]', () => {
    const driver = new CoreDriver();
    const beat = () => driver.step({ kind: 'peer_heard', balancerId: peer });
    beat();
    driver.store(ofPeer);
    driver.step({ kind: 'job_ended', jobId: job(ofPeer) });
    expect(driver.pass(60_000, beat)).toEqual([]);
    expect(driver.pass(6_750)).toEqual([{ kind: 'wake_owner', jobId: ofPeer }]);
  });

  it('charges its guild what it used, not what was estimated [B6]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a', { guildKey: 'big' });
    driver.report('w', 0, { ended: [{ jobId: job('a'), tokens: 9_000 }] });
    driver.store('of-big', { guildKey: 'big' });
    driver.store('of-small', { guildKey: 'small' });
    driver.report('w', 1);
    expect(driver.runs.at(-1)).toMatchObject({ jobId: 'of-small' });
  });
});

describe('a grant', () => {
  it('does not leak with a request that nobody ever answered [B4]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1);
    driver.store('a');
    driver.nowMs = 4_999;
    driver.report('w', 1);
    expect(driver.core.freeSlots(driver.nowMs)).toBe(0);
    driver.nowMs = 5_000;
    driver.report('w', 1);
    expect(driver.core.freeSlots(driver.nowMs)).toBe(1);
  });

  it('counts for nothing in a stale report, and starts anew with a new process [B3]', () => {
    const driver = new CoreDriver();
    driver.report('w', 1, { epoch: 5, sequence: 9 });
    driver.store('a');
    driver.report('w', 3, { epoch: 5, sequence: 9 });
    driver.report('w', 3, { epoch: 4, sequence: 10 });
    expect(driver.core.freeSlots(0)).toBe(0);
    driver.report('w', 3, { epoch: 6, sequence: 0 });
    expect(driver.core.freeSlots(0)).toBe(3);
  });
});

describe('the cost of a tick', () => {
  it('does not grow with the jobs that wait', () => {
    let looks = 0;
    const driver = new CoreDriver();
    for (let n = 0; n < 20_000; n += 1) {
      driver.store(`j${n}`, { guildKey: `g${n % 50}` }, 'backlog');
    }
    for (let n = 0; n < 20_000; n += 1) {
      const state = driver.core.stateOf(job(`j${n}`));
      if (state) {
        Object.defineProperty(state, 'kind', {
          get: () => {
            looks += 1;
            return 'waiting';
          },
        });
      }
    }
    driver.pass(10_000);
    expect(looks).toBe(0);
    driver.report('w', 4);
    expect(driver.runs).toHaveLength(4);
    expect(looks).toBeLessThan(50);
  });
});
