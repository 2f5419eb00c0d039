import { seededRandom } from '@starling/clock';
import { type WorkerId, workerId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseWorker, maxExplained, type WorkerLoad } from '../src/index.ts';

const id = (name: string) => workerId.parse(name);
const nobody: ReadonlySet<WorkerId> = new Set();

function worker(name: string, load: Partial<Omit<WorkerLoad, 'workerId'>> = {}): WorkerLoad {
  return { workerId: id(name), state: { kind: 'serving' }, slots: 4, inFlight: 0, ...load };
}

const anyLoad = fc.record({
  state: fc.constantFrom<WorkerLoad['state']>(
    { kind: 'serving' },
    { kind: 'serving' },
    { kind: 'draining' },
    { kind: 'dead', silentMs: 5_000 },
  ),
  slots: fc.nat(8),
  inFlight: fc.nat(8),
  tried: fc.boolean(),
});

describe('chooseWorker', () => {
  it('spreads 300 sequential requests over 3 idle workers [B1]', () => {
    const random = seededRandom(7);
    const served = new Map<WorkerId, number>();
    for (let request = 0; request < 300; request += 1) {
      const choice = chooseWorker([worker('a'), worker('b'), worker('c')], {
        exclude: nobody,
        random,
      });
      if (choice.kind === 'none') throw new Error('three idle workers, none chosen');
      served.set(choice.workerId, (served.get(choice.workerId) ?? 0) + 1);
    }
    expect(served.size).toBe(3);
    for (const count of served.values()) expect(count).toBeGreaterThan(70);
  });

  it('takes the least in flight per slot, not the fewest in flight [B1]', () => {
    const choice = chooseWorker(
      [worker('small', { slots: 2, inFlight: 1 }), worker('large', { slots: 20, inFlight: 3 })],
      { exclude: nobody, random: seededRandom(1) },
    );
    expect(choice).toMatchObject({ kind: 'chosen', workerId: 'large' });
  });

  it('never picks a tried, draining, dead or full worker, and never a busier one [B1] [B8]', () => {
    fc.assert(
      fc.property(fc.array(anyLoad, { maxLength: 12 }), fc.nat(), (drawn, seed) => {
        const workers = drawn.map(({ tried: _, ...load }, index) => worker(`w${index}`, load));
        const exclude = new Set(
          workers.filter((_, index) => drawn[index]?.tried).map((one) => one.workerId),
        );
        const eligible = workers.filter(
          (one) =>
            one.state.kind === 'serving' && one.inFlight < one.slots && !exclude.has(one.workerId),
        );
        const choice = chooseWorker(workers, { exclude, random: seededRandom(seed) });
        if (choice.kind === 'none') {
          expect(eligible).toEqual([]);
          return;
        }
        const chosen = eligible.find((one) => one.workerId === choice.workerId);
        if (!chosen) throw new Error('chose a worker that must not be chosen');
        const load = chosen.inFlight / chosen.slots;
        for (const one of eligible) expect(load).toBeLessThanOrEqual(one.inFlight / one.slots);
      }),
    );
  });

  it('gives each of the equals its turn, wherever it stands in the scan', () => {
    const random = seededRandom(3);
    const workers = [worker('busy', { inFlight: 2 }), worker('x'), worker('y'), worker('z')];
    const seen = new Set<string>();
    for (let turn = 0; turn < 60; turn += 1) {
      const choice = chooseWorker(workers, { exclude: nobody, random });
      if (choice.kind === 'chosen') seen.add(choice.workerId);
    }
    expect([...seen].sort()).toEqual(['x', 'y', 'z']);
  });

  it('explains itself: every worker is counted under one verdict [B10]', () => {
    const choice = chooseWorker(
      [
        worker('tried'),
        worker('full', { inFlight: 4 }),
        worker('leaving', { state: { kind: 'draining' } }),
        worker('gone', { state: { kind: 'dead', silentMs: 4_000 } }),
        worker('busier', { inFlight: 3 }),
        worker('free'),
      ],
      { exclude: new Set([id('tried')]), random: seededRandom(1) },
    );
    expect(choice.explanation.counts).toEqual({
      tried: 1,
      full: 1,
      draining: 1,
      dead: 1,
      busier: 1,
      chosen: 1,
    });
    expect(choice.explanation.candidates[0]).toEqual({
      workerId: 'free',
      slots: 4,
      inFlight: 0,
      verdict: 'chosen',
    });
  });

  it('lists a bounded number of workers, the chosen one always among them [B10]', () => {
    const many = Array.from({ length: 100 }, (_, index) => worker(`w${index}`, { inFlight: 1 }));
    const choice = chooseWorker([...many, worker('last')], {
      exclude: nobody,
      random: seededRandom(1),
    });
    expect(choice.explanation.candidates).toHaveLength(maxExplained);
    expect(choice.explanation.candidates[0]?.workerId).toBe('last');
    expect(choice.explanation.counts.busier).toBe(100);
  });

  it.each([
    { what: 'no worker at all', workers: [], reason: 'no_live_worker' },
    {
      what: 'only the dead',
      workers: [worker('a', { state: { kind: 'dead', silentMs: 9e3 } })],
      reason: 'no_live_worker',
    },
    {
      what: 'only the draining',
      workers: [worker('a', { state: { kind: 'draining' } })],
      reason: 'all_draining',
    },
    {
      what: 'a full one',
      workers: [worker('a', { inFlight: 4 }), worker('b', { state: { kind: 'draining' } })],
      reason: 'all_full',
    },
    { what: 'a worker without slots', workers: [worker('a', { slots: 0 })], reason: 'all_full' },
  ])('says why nobody can be chosen: $what', ({ workers, reason }) => {
    const choice = chooseWorker(workers, { exclude: nobody, random: seededRandom(1) });
    expect(choice).toMatchObject({ kind: 'none', reason });
  });
});
