/** The worker's core while jobs share calls: who holds the slot, who follows, who leads next. */
import { type CallKey, callKey, type JobId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerEffect } from '../src/index.ts';
import { b0, but, finish, id, WorkerDriver } from './worker-driver.ts';

const keyOf = (n: number): CallKey => callKey.parse(`key-${n}`.padEnd(22, '_'));
const key = keyOf(0);
const shares = { callKey: key };
const follows = { callKey: key, follows: true };
const replies = (effects: readonly WorkerEffect[]) =>
  effects.filter(({ kind }) => kind === 'reply');

/** A worker with one slot whose only call is led by `leader` and followed by the others. */
function sharing(leader: string, ...others: readonly string[]): WorkerDriver {
  const driver = new WorkerDriver({ slots: 1 });
  driver.ask(leader, shares);
  driver.win(leader);
  for (const name of others) {
    driver.ask(name, follows);
    driver.win(name);
  }
  driver.step({ kind: 'tick' });
  return driver;
}

const ended = (driver: WorkerDriver, characters: number | undefined) =>
  driver.step({ kind: 'call_ended', callKey: key, characters });

function over(driver: WorkerDriver, name: string): void {
  driver.finish(name);
  driver.end(name, 'written');
}

describe('jobs that share a call', () => {
  it('hold one slot together, claim one by one, and are all listed [A8]', () => {
    const driver = sharing('a', 'b', 'c');
    expect(driver.report).toMatchObject({ running: ['a'], following: ['b', 'c'], slots: 1 });
    const claims = driver.said.filter((effect) => effect.kind === 'claim');
    expect(claims.map(({ jobId, callKey }) => [jobId, callKey])).toEqual([
      ['a', key],
      ['b', key],
      ['c', key],
    ]);
    expect(driver.ask('other')).toMatchObject([{ kind: 'reply', answer: 'full' }]);
  });

  it('take no grant from a balancer that sent a follower, or did not know that it is one [A8]', () => {
    const driver = new WorkerDriver({ slots: 2 });
    driver.hear(b0);
    driver.ask('a', shares);
    expect(driver.report.grants).toEqual({ b0: 1 });
    driver.ask('b', follows);
    driver.ask('c', shares);
    driver.step({ kind: 'tick' });
    expect(driver.report).toMatchObject({ grants: { b0: 1 }, following: ['b', 'c'] });
  });

  it('refuse a follower whose call is not here, and say so; one that may also lead leads [A8]', () => {
    const driver = new WorkerDriver({ slots: 1 });
    expect(driver.ask('b', follows)).toEqual([
      { kind: 'reply', jobId: 'b', to: 'b0', attempt: 1, answer: 'full', callGone: true },
    ]);
    expect(but(driver.ask('c', shares))).toMatchObject([{ kind: 'claim', callKey: key }]);
  });

  it('go on under the one that has followed longest when the leader is cancelled [A8]', () => {
    const driver = sharing('a', 'b', 'c');
    driver.step({ kind: 'cancel_requested', jobId: id('a') });
    over(driver, 'a');
    expect(driver.report).toMatchObject({ running: ['b'], following: ['c'] });
    over(driver, 'b');
    expect(driver.report).toMatchObject({ running: ['c'] });
    over(driver, 'c');
    expect(driver.report.running).toEqual([]);
    // Nobody is left of it: the next one begins anew.
    expect(but(driver.ask('d', shares))).toMatchObject([{ kind: 'claim', callKey: key }]);
    expect(driver.report).toMatchObject({ running: ['d'] });
  });

  it('do not lose the slot with a leader that lost its claim [A8]', () => {
    const driver = new WorkerDriver({ slots: 1 });
    driver.ask('a', shares);
    driver.ask('b', follows);
    driver.step({ kind: 'claim_answered', jobId: id('a'), answer: { kind: 'lost' } });
    expect(driver.report).toMatchObject({ running: ['b'] });
    expect(driver.report.following).toBeUndefined();
  });

  it('are not led by one whose own run is over [A8]', () => {
    const driver = sharing('a', 'b', 'c');
    driver.finish('b');
    over(driver, 'a');
    expect(driver.report).toMatchObject({ running: ['c'], following: ['b'] });
  });

  it('give the slot back once the call ended and its leader is written, whoever still follows [A8]', () => {
    const driver = sharing('a', 'b');
    ended(driver, 10);
    over(driver, 'a');
    expect(driver.report).toMatchObject({ running: [], following: ['b'] });
    driver.hear(b0);
    expect(driver.report.grants).toEqual({ b0: 1 });
  });

  it('say nothing about the health of the provider unless they called it [A8] [B3]', () => {
    const driver = sharing('a', 'b');
    driver.step({
      kind: 'finished',
      jobId: id('b'),
      finish: { ...finish, failed: true, outcome: 'failed' },
    });
    driver.step({ kind: 'tick' });
    expect(driver.report).not.toHaveProperty('errorRate');
    driver.step({
      kind: 'finished',
      jobId: id('a'),
      finish: { ...finish, failed: true, outcome: 'failed' },
    });
    driver.step({ kind: 'tick' });
    expect(driver.report.errorRate).toBeGreaterThan(0);
  });
});

describe('the answer of a call that ended', () => {
  it('serves who comes within 5 s, with no slot free, and is forgotten then [A8]', () => {
    const driver = sharing('a');
    ended(driver, 10);
    over(driver, 'a');
    driver.ask('busy');
    driver.nowMs = 4_999;
    driver.step({ kind: 'tick' });
    expect(replies(driver.ask('b', follows))).toEqual([]);
    driver.nowMs = 5_000;
    expect(but(driver.step({ kind: 'tick' }))).toEqual([{ kind: 'forget_call', callKey: key }]);
    expect(driver.ask('c', follows)).toMatchObject([{ answer: 'full', callGone: true }]);
  });

  it('is not kept when it failed: the next one tries for itself [A8]', () => {
    const driver = sharing('a');
    ended(driver, undefined);
    expect(driver.ask('b', follows)).toMatchObject([{ answer: 'full', callGone: true }]);
  });

  it('is kept within bounds of number and length, the oldest goes first [A8]', () => {
    const driver = new WorkerDriver({ slots: 9, calls: { kept: 2, keptCharacters: 100 } });
    const forgotten = [40, 40, 10, 90, 101].map((characters, n) => {
      driver.ask(`j${n}`, { callKey: keyOf(n) });
      driver.win(`j${n}`);
      return driver
        .step({ kind: 'call_ended', callKey: keyOf(n), characters })
        .flatMap((effect) => (effect.kind === 'forget_call' ? [effect.callKey] : []));
    });
    expect(forgotten).toEqual([[], [], [keyOf(0)], [keyOf(1)], [keyOf(2), keyOf(3), keyOf(4)]]);
  });

  it('has so many followers and no more, in one call and in all [A8]', () => {
    const driver = new WorkerDriver({ calls: { followersPerCall: 2, followers: 3 } });
    const refused = (name: string, callKey: CallKey) =>
      replies(driver.ask(name, { callKey, follows: true })).length;
    for (const n of [0, 1]) driver.ask(`leader${n}`, { callKey: keyOf(n) });
    const answers = [0, 0, 0, 1, 1].map((n, at) => refused(`f${at}`, keyOf(n)));
    expect(answers).toEqual([0, 0, 1, 0, 1]);
  });
});

describe('shared calls, whatever happens', () => {
  /** A provider's stream, with the jobs that read it. */
  interface Stream {
    readonly readers: Set<JobId>;
    open: boolean;
  }

  /** What a shell does on the core's word: a seat from the claim on, a stream from the first start on. */
  class Shell {
    readonly driver = new WorkerDriver({ slots: 2, calls: { followersPerCall: 3 } });
    readonly streams = new Map<CallKey | JobId, Stream>();
    readonly seats = new Map<JobId, { readonly key: CallKey | JobId; readonly stream: Stream }>();
    readonly kept = new Set<CallKey | JobId>();

    do(effects: readonly WorkerEffect[]): void {
      for (const effect of effects) {
        if (effect.kind === 'claim') this.#sit(effect.jobId, effect.callKey ?? effect.jobId);
        else if (effect.kind === 'start') this.#open(effect.jobId);
        else if (effect.kind === 'forget_call') this.kept.delete(effect.callKey);
      }
    }

    #sit(jobId: JobId, at: CallKey | JobId): void {
      const known = this.streams.get(at);
      const stream = known ?? { readers: new Set<JobId>(), open: false };
      if (!this.kept.has(at)) this.streams.set(at, stream);
      stream.readers.add(jobId);
      this.seats.set(jobId, { key: at, stream });
    }

    #open(jobId: JobId): void {
      const seat = this.seats.get(jobId);
      if (seat && !this.kept.has(seat.key)) seat.stream.open = true;
    }

    /** A job reads no more; with its last reader a stream is closed. */
    leave(jobId: JobId): void {
      const seat = this.seats.get(jobId);
      this.seats.delete(jobId);
      seat?.stream.readers.delete(jobId);
      if (seat && seat.stream.readers.size === 0) this.#close(seat.key, seat.stream, undefined);
    }

    end(at: CallKey, characters: number | undefined): void {
      const stream = this.streams.get(at);
      if (stream?.open) this.#close(at, stream, characters);
    }

    #close(at: CallKey | JobId, stream: Stream, characters: number | undefined): void {
      stream.open = false;
      if (this.streams.get(at) !== stream) return;
      this.streams.delete(at);
      const parsed = callKey.safeParse(at);
      if (!parsed.success) return;
      if (characters !== undefined) this.kept.add(parsed.data);
      this.do(this.driver.step({ kind: 'call_ended', callKey: parsed.data, characters }));
    }

    get open(): number {
      return [...this.streams.values()].filter((stream) => stream.open).length;
    }
  }

  it('open streams never outnumber slots held, and nothing stays behind [A8] [B1]', () => {
    const kinds = ['ask', 'follow', 'win', 'lose', 'cancel', 'end', 'fail', 'written', 'tick'];
    const event = fc.record({
      kind: fc.constantFrom(...kinds),
      job: fc.integer({ min: 0, max: 7 }),
      key: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150, size: 'max' }), (events) => {
        const shell = new Shell();
        const { driver } = shell;
        let born = 0;
        const names = Array.from({ length: 8 }, (_, n) => `j${n}`);
        const finished = (name: string) => {
          shell.leave(id(name));
          shell.do(driver.finish(name));
        };
        for (const { kind, job, key: n } of events) {
          driver.nowMs += 300;
          const name = names[job] ?? '';
          const at = keyOf(n);
          const running = driver.said.some((one) => one.kind === 'start' && one.jobId === name);
          if (kind === 'ask' || kind === 'follow') {
            // A job that is over does not come again; another takes its place.
            names[job] = `j${job}-${born++}`;
            const run = { callKey: at, follows: kind === 'follow' };
            shell.do(driver.ask(names[job] ?? '', run));
          } else if (kind === 'win') shell.do(driver.win(name));
          else if (kind === 'lose') {
            const answer = { kind: 'lost' } as const;
            if (!running) shell.leave(id(name));
            shell.do(driver.step({ kind: 'claim_answered', jobId: id(name), answer }));
          } else if (kind === 'cancel') {
            if (running) finished(name);
          } else if (kind === 'end' || kind === 'fail') {
            const readers = [...(shell.streams.get(at)?.readers ?? [])];
            shell.end(at, kind === 'end' ? 5 : undefined);
            if (!shell.streams.has(at)) for (const reader of readers) finished(reader);
          } else if (kind === 'written') shell.do(driver.end(name, 'written'));
          else shell.do(driver.step({ kind: 'tick' }));

          const { following, running: held } = driver.core;
          expect(held.length).toBeLessThanOrEqual(2);
          expect(shell.open).toBeLessThanOrEqual(held.length);
          expect(following.filter((one) => held.includes(one))).toEqual([]);
        }
        // All that is left comes to its end.
        const left = () => [...driver.core.running, ...driver.core.following];
        for (const jobId of left()) shell.do(driver.win(jobId));
        for (const jobId of left()) finished(jobId);
        for (const jobId of left()) shell.do(driver.end(jobId, 'written'));
        driver.nowMs += 5_000;
        shell.do(driver.step({ kind: 'tick' }));
        expect([left(), shell.open, [...shell.kept]]).toEqual([[], 0, []]);
        for (const n of [0, 1]) {
          const asked = driver.ask(`last${n}`, { callKey: keyOf(n), follows: true });
          expect(asked).toMatchObject([{ answer: 'full', callGone: true }]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
