import { seededRandom } from '@starling/clock';
import { type WorkerId, workerId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseWorker, strategyNamed, strategyNames, type WorkerLoad } from '../src/index.ts';

const nobody: ReadonlySet<WorkerId> = new Set();
const worker = (name: string, load: Partial<WorkerLoad> = {}): WorkerLoad => ({
  workerId: workerId.parse(name),
  state: { kind: 'serving' },
  slots: 4,
  inFlight: 0,
  ...load,
});

/** How often each worker is chosen of 600 times; `hold` keeps what is chosen in flight. */
function chosenOf(
  name: (typeof strategyNames)[number],
  workers: readonly WorkerLoad[],
): ReadonlyMap<string, number> {
  const strategy = strategyNamed(name);
  const random = seededRandom(11);
  const counts = new Map<string, number>();
  for (let n = 0; n < 600; n += 1) {
    const choice = chooseWorker(workers, { exclude: nobody, random, strategy });
    if (choice.kind === 'chosen') {
      counts.set(choice.workerId, (counts.get(choice.workerId) ?? 0) + 1);
    }
  }
  return counts;
}

describe('the strategies behind the choice', () => {
  it.each(strategyNames)(
    '%s keeps to those that may be chosen, and says who chose [B2] [B10]',
    (name) => {
      fc.assert(
        fc.property(fc.array(fc.nat(5), { maxLength: 9 }), fc.nat(), (inFlights, seed) => {
          const workers = inFlights.map((inFlight, index) => worker(`w${index}`, { inFlight }));
          const strategy = strategyNamed(name);
          const choice = chooseWorker(workers, {
            exclude: nobody,
            random: seededRandom(seed),
            strategy,
          });
          const free = workers.filter(({ inFlight, slots }) => inFlight < slots);
          expect(choice.kind === 'chosen').toBe(free.length > 0);
          expect(choice.explanation.strategy).toBe(name);
          if (choice.kind === 'chosen') {
            expect(free.map(({ workerId: id }) => id)).toContain(choice.workerId);
            expect(choice.explanation.candidates[0]?.verdict).toBe('chosen');
          }
        }),
      );
    },
  );

  it('round robin takes each in turn, also when one comes [B2]', () => {
    const strategy = strategyNamed('round_robin');
    const random = seededRandom(1);
    const pick = (names: readonly string[]) => {
      const workers = names.map((name) => worker(name));
      const choice = chooseWorker(workers, { exclude: nobody, random, strategy });
      return choice.kind === 'chosen' ? choice.workerId : undefined;
    };
    expect([1, 2, 3, 4].map(() => pick(['b', 'a', 'c']))).toEqual(['a', 'b', 'c', 'a']);
    expect(pick(['c', 'aa', 'b', 'a'])).toBe('aa');
  });

  it('weighted follows the slots [B2]', () => {
    const counts = chosenOf('weighted', [worker('small'), worker('large', { slots: 16 })]);
    expect((counts.get('large') ?? 0) / 600).toBeCloseTo(0.8, 1);
  });

  it('two choices spare the busiest of three [B2]', () => {
    const workers = [worker('a'), worker('b', { inFlight: 1 }), worker('busy', { inFlight: 3 })];
    expect(chosenOf('power_of_two', workers).get('busy')).toBeUndefined();
  });

  it('peak EWMA weighs latency with what is in flight [B2]', () => {
    const quick = worker('quick', { firstTokenMs: 100, inFlight: 2 });
    const slow = worker('slow', { firstTokenMs: 900 });
    expect(chosenOf('peak_ewma', [quick, slow]).get('quick')).toBe(600);
  });
});

describe('what stands above the strategy', () => {
  const choose = (
    workers: readonly WorkerLoad[],
    options: Partial<Parameters<typeof chooseWorker>[1]>,
  ) => chooseWorker(workers, { exclude: nobody, random: seededRandom(5), ...options });

  it('keeps a conversation on its worker while that is not much busier than the fleet [B1]', () => {
    const lastWorker = workerId.parse('home');
    const fleet = (inFlight: number) => [
      worker('home', { inFlight }),
      worker('x', { inFlight: 1 }),
      worker('y', { inFlight: 1 }),
    ];
    const near = choose(fleet(1), { lastWorker });
    expect(near).toMatchObject({ kind: 'chosen', workerId: 'home' });
    expect(near.explanation.decidedBy).toBe('conversation');
    const far = choose(fleet(3), { lastWorker });
    expect(far.kind === 'chosen' && far.workerId).not.toBe('home');
    expect(far.explanation.decidedBy).toBe('strategy');
  });

  it('takes only workers that can serve the model, and those first that have it loaded [B1]', () => {
    const cold = worker('cold', { models: { served: ['m', 'n'], loaded: [] } });
    const warm = worker('warm', { models: { served: ['m'], loaded: ['m'] }, inFlight: 3 });
    const other = worker('other', { models: { served: ['n'], loaded: ['n'] } });
    expect(choose([cold, warm, other], { model: 'm' })).toMatchObject({ workerId: 'warm' });
    // Of a worker that names no models nothing says that it would have to load one.
    const any = worker('any', { inFlight: 2 });
    expect(choose([cold, warm, any], { model: 'm' })).toMatchObject({ workerId: 'any' });
    const full = { ...warm, inFlight: 4 };
    expect(choose([cold, full, other], { model: 'm' })).toMatchObject({ workerId: 'cold' });
    expect(choose([other], { model: 'm' })).toMatchObject({
      kind: 'none',
      reason: 'no_worker_for_model',
    });
    expect(choose([cold, warm, other], { model: 'm' }).explanation.counts).toEqual({
      chosen: 1,
      not_loaded: 1,
      other_model: 1,
    });
  });

  it('gives a sick worker one job at a time, and only when no well one is free [B3]', () => {
    const sick = (inFlight: number) => worker('sick', { score: 0.04, inFlight });
    const well = worker('well', { inFlight: 3 });
    expect(choose([sick(0), well], {})).toMatchObject({ workerId: 'well' });
    expect(choose([sick(0), { ...well, inFlight: 4 }], {})).toMatchObject({ workerId: 'sick' });
    const busy = choose([sick(1), { ...well, inFlight: 4 }], {});
    expect(busy).toMatchObject({ kind: 'none', reason: 'all_full' });
    expect(busy.explanation.counts).toEqual({ unhealthy: 1, full: 1 });
  });
});
