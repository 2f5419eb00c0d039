import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerEffect } from '../src/index.ts';
import { b0, b1, but, finish, id, WorkerDriver } from './worker-driver.ts';

describe('a worker', () => {
  it('claims before it runs, and says yes only once it won [A6]', () => {
    const driver = new WorkerDriver();
    expect(but(driver.ask('a', { attempt: 2, previousRevision: 9 }))).toEqual([
      { kind: 'claim', jobId: 'a', attempt: 2, previousRevision: 9 },
    ]);
    expect(but(driver.win('a', 10))).toEqual([
      { kind: 'start', jobId: 'a', sequence: 1, attempt: 2 },
      { kind: 'reply', jobId: 'a', to: 'b0', attempt: 2, answer: 'ok' },
    ]);
    expect(driver.report).toMatchObject({ running: ['a'], attempts: { a: 2 } });
  });

  it('frees the slot of a lost claim, and answers nobody after an unknown one [A6]', () => {
    const driver = new WorkerDriver();
    for (const name of ['lost', 'unknown'] as const) {
      driver.ask(name);
      const event = { kind: 'claim_answered', jobId: id(name), answer: { kind: name } } as const;
      const replies = driver.step(event).filter(({ kind }) => kind === 'reply');
      expect(replies).toHaveLength(name === 'lost' ? 1 : 0);
      expect(driver.report.running).toEqual([]);
    }
  });

  it('holds the slot until the end is written, and lists the end in two reports [B1]', () => {
    const driver = new WorkerDriver();
    driver.ask('a');
    driver.win('a', 3);
    expect(but(driver.finish('a'))).toEqual([
      { kind: 'write_end', jobId: 'a', attempt: 1, revision: 3, finish },
    ]);
    expect(driver.core.running).toEqual(['a']);
    expect(but(driver.end('a', 'written'))).toEqual([{ kind: 'settled', jobId: 'a', attempt: 1 }]);
    expect(driver.report).toMatchObject({ running: [], ended: [{ jobId: 'a', tokens: 42 }] });
    driver.step({ kind: 'tick' });
    expect(driver.report.ended).toHaveLength(1);
    driver.step({ kind: 'tick' });
    expect(driver.report.ended).toBeUndefined();
  });

  it('tells of its models as soon as it knows them, and in every report from then on [B1]', () => {
    const driver = new WorkerDriver();
    driver.step({ kind: 'tick' });
    expect(driver.report.models).toBeUndefined();
    const models = { served: ['m', 'n'], loaded: ['m'] };
    expect(driver.step({ kind: 'models_known', models })).toMatchObject([{ report: { models } }]);
    driver.step({ kind: 'tick' });
    expect(driver.report.models).toEqual(models);
    driver.step({ kind: 'models_known', models: undefined });
    expect(driver.report.models).toBeUndefined();
  });

  it('sends nothing when it was fenced, and gives the slot back [A6]', () => {
    const driver = new WorkerDriver();
    driver.ask('a');
    driver.win('a');
    driver.finish('a');
    expect(but(driver.end('a', 'refused'))).toEqual([{ kind: 'fenced', jobId: 'a', attempt: 1 }]);
    expect(driver.report).toMatchObject({ running: [] });
    expect(driver.report.ended).toBeUndefined();
  });

  it('writes an end again whose answer did not come', () => {
    const driver = new WorkerDriver();
    driver.ask('a');
    driver.win('a', 3);
    driver.finish('a');
    driver.end('a', 'unknown');
    driver.nowMs = 999;
    expect(but(driver.step({ kind: 'tick' }))).toEqual([]);
    driver.nowMs = 1_000;
    expect(but(driver.step({ kind: 'tick' }))).toMatchObject([{ kind: 'write_end', revision: 3 }]);
  });

  it('answers a request that came twice, and one for another attempt, without a second run [A6]', () => {
    const driver = new WorkerDriver();
    driver.ask('a');
    expect(driver.ask('a', { from: b1 })).toEqual([]);
    const replies = driver.win('a').filter((effect) => effect.kind === 'reply');
    expect(replies.map(({ to }) => to)).toEqual(['b0', 'b1']);
    expect(driver.ask('a')).toMatchObject([{ kind: 'reply', answer: 'ok' }]);
    const later = { attempt: 2, previousRevision: 1 };
    expect(driver.ask('a', later)).toMatchObject([{ kind: 'reply', answer: 'lost' }]);
  });

  it('refuses when it is full, and when it drains, and says when it is drained [B8]', () => {
    const driver = new WorkerDriver({ slots: 1 });
    driver.hear(b0);
    driver.ask('a');
    expect(driver.ask('b')).toMatchObject([{ kind: 'reply', answer: 'full' }]);
    driver.win('a');
    expect(but(driver.step({ kind: 'drain' }))).toEqual([]);
    expect(driver.report).toMatchObject({ draining: true, grants: {} });
    expect(driver.ask('c')).toMatchObject([{ kind: 'reply', answer: 'draining' }]);
    driver.finish('a');
    expect(driver.end('a', 'written').at(-1)).toEqual({ kind: 'drained' });
  });

  it('stops a cancelled run at once, also one cancelled while it was claimed [A10]', () => {
    const driver = new WorkerDriver();
    driver.ask('a');
    driver.win('a');
    const cancel = (name: string) => driver.step({ kind: 'cancel_requested', jobId: id(name) });
    expect(cancel('a')).toEqual([{ kind: 'stop', jobId: 'a', reason: 'cancelled' }]);
    expect(cancel('a')).toEqual([]);
    driver.ask('b');
    expect(cancel('b')).toEqual([]);
    expect(driver.win('b').filter(({ kind }) => kind === 'stop')).toHaveLength(1);
  });
});

describe('the reports of a worker', () => {
  const busy = (slots: number) => {
    const driver = new WorkerDriver({ slots });
    driver.hear(b0);
    driver.nowMs += 100;
    return driver;
  };
  const run = (driver: WorkerDriver, name: string) => {
    driver.ask(name);
    driver.win(name);
    driver.finish(name);
    driver.end(name, 'written');
  };

  it('tell of many changes together, 25 ms after the first [B3]', () => {
    const driver = busy(8);
    const before = driver.reports.length;
    driver.ask('a');
    for (const name of ['b', 'c', 'd']) {
      driver.nowMs += 2;
      run(driver, name);
    }
    expect(driver.reports).toHaveLength(before);
    const wakes = driver.said.flatMap((effect) => (effect.kind === 'wake' ? effect.delayMs : []));
    expect(wakes).toEqual([25]);
    driver.nowMs += 19;
    driver.step({ kind: 'woken' });
    expect(driver.reports).toHaveLength(before + 1);
    expect(driver.report).toMatchObject({ running: ['a'], grants: { b0: 7 } });
    expect(driver.report.ended?.map(({ jobId }) => jobId)).toEqual(['b', 'c', 'd']);
  });

  it('tell of a slot at once when a balancer has none left; of many, one in 5 ms [B3] [B4]', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const driver = busy(names.length);
    for (const name of names) {
      driver.ask(name);
      driver.win(name);
      driver.finish(name);
    }
    const before = driver.reports.length;
    const free = (name: string) => {
      driver.end(name, 'written');
      driver.ask(`${name}-next`);
    };
    for (const name of names.slice(0, 4)) free(name);
    expect(driver.reports).toHaveLength(before + 4);
    expect(driver.reports.at(-1)).toMatchObject({ grants: { b0: 1 } });
    driver.nowMs += 2;
    free('e');
    expect(driver.said).toContainEqual({ kind: 'wake', delayMs: 3 });
    expect(driver.reports).toHaveLength(before + 4);
    driver.nowMs += 3;
    driver.step({ kind: 'woken' });
    expect(driver.reports).toHaveLength(before + 5);
    // The wake that it replaced comes too late to say anything.
    driver.nowMs += 20;
    driver.step({ kind: 'woken' });
    expect(driver.reports).toHaveLength(before + 5);
  });

  it('tell at once of a drain and of a balancer that came or went [B4] [B8]', () => {
    const driver = busy(4);
    driver.ask('a');
    const said = driver.reports.length;
    driver.hear(b1);
    driver.step({ kind: 'balancer_left', balancerId: b0 });
    driver.step({ kind: 'drain' });
    expect(driver.reports).toHaveLength(said + 3);
  });
});

describe('the deal of free slots', () => {
  it('gives each slot to one live balancer, and takes those of a dead one back [B4]', () => {
    const driver = new WorkerDriver();
    driver.hear(b0, b1);
    expect(driver.report.grants).toEqual({ b0: 2, b1: 2 });
    driver.nowMs = 700;
    driver.hear(b1);
    driver.nowMs = 750;
    driver.step({ kind: 'tick' });
    expect(driver.report.grants).toEqual({ b1: 4 });
  });

  it('leaves a dealt slot with its holder while others are spent and freed [B4]', () => {
    const driver = new WorkerDriver({ slots: 2 });
    driver.hear(b0, b1);
    driver.ask('a', { from: b0 });
    expect(driver.report.grants).toEqual({ b1: 1 });
    driver.win('a');
    driver.finish('a');
    driver.end('a', 'written');
    expect(driver.report.grants?.[b1]).toBeGreaterThanOrEqual(1);
  });

  it('starts slowly: 1, 2, 4 in use or dealt, a step a second [B3]', () => {
    const driver = new WorkerDriver({ slots: 8, startedAtMs: 0 });
    const dealt = () =>
      Object.values(driver.report.grants ?? {}).reduce((sum, slots) => sum + slots, 0);
    const seen = [0, 1_000, 2_000, 3_000].map((nowMs) => {
      driver.nowMs = nowMs;
      driver.hear(b0);
      driver.step({ kind: 'tick' });
      return dealt();
    });
    expect(seen).toEqual([1, 2, 4, 8]);
    const busy = new WorkerDriver({ slots: 8, startedAtMs: 0 });
    busy.hear(b0);
    busy.ask('a');
    // What runs counts: a long job is not followed by one more a moment later.
    expect(busy.report.grants).toEqual({});
  });

  it('never has more jobs than slots, nor deals a slot that is taken, whatever happens [B1] [B4]', () => {
    const event = fc.record({
      kind: fc.constantFrom(
        'ask',
        'win',
        'lose',
        'unknown',
        'finish',
        'written',
        'refused',
        'hear',
        'leave',
        'tick',
        'cancel',
      ),
      job: fc.integer({ min: 0, max: 6 }),
      attempt: fc.integer({ min: 1, max: 2 }),
      from: fc.constantFrom(b0, b1),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const driver = new WorkerDriver({ slots: 3 });
        for (const { kind, job, attempt, from } of events) {
          const name = `j${job}`;
          driver.nowMs += 40;
          if (kind === 'ask') driver.ask(name, { attempt, from });
          else if (kind === 'win') driver.win(name);
          else if (kind === 'lose' || kind === 'unknown') {
            const answer = { kind: kind === 'lose' ? 'lost' : 'unknown' } as const;
            driver.step({ kind: 'claim_answered', jobId: id(name), answer });
          } else if (kind === 'finish') driver.finish(name);
          else if (kind === 'written' || kind === 'refused') driver.end(name, kind);
          else if (kind === 'hear') driver.hear(from);
          else if (kind === 'leave') driver.step({ kind: 'balancer_left', balancerId: from });
          else if (kind === 'cancel') driver.step({ kind: 'cancel_requested', jobId: id(name) });
          else driver.step({ kind: 'tick' });
          expect(driver.core.running.length).toBeLessThanOrEqual(3);
        }
        driver.step({ kind: 'tick' });
        const { running, grants = {} } = driver.report;
        const dealt = Object.values(grants).reduce((sum, slots) => sum + slots, 0);
        expect(running).toEqual(driver.core.running);
        expect(running.length + dealt).toBeLessThanOrEqual(3);
        // A start for each claim that was won, an end for each that was asked.
        const count = (wanted: WorkerEffect['kind']) =>
          driver.said.filter(({ kind }) => kind === wanted).length;
        expect(count('start')).toBeLessThanOrEqual(count('claim'));
        expect(count('settled') + count('fenced')).toBeLessThanOrEqual(count('start'));
      }),
    );
  });
});
