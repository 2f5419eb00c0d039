import { balancerId, type ScalingSignal, workerId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultFleetViewLimits,
  type FleetLoad,
  FleetView,
  SignalBoard,
  WantedWorkers,
  type WorkerLoad,
} from '../src/index.ts';
import { WorkerDriver } from './worker-driver.ts';

const targets = { clearMs: 30_000, use: 0.8, holdMs: 60_000 };
const idle = (loads: readonly Partial<WorkerLoad>[]): WorkerLoad[] =>
  loads.map((load, index) => ({
    workerId: workerId.parse(`w${index}`),
    state: { kind: 'serving' },
    slots: 8,
    inFlight: 0,
    ...load,
  }));
const busy = (...inFlights: readonly number[]) => idle(inFlights.map((inFlight) => ({ inFlight })));

const paceOf = ({ growth, waitMs }: Partial<FleetLoad['pace']>) => ({ growth, waitMs });

/** What a fleet wants that is looked at for the first time. */
const wanted = (
  workers: readonly WorkerLoad[],
  waiting = 0,
  pace: Partial<FleetLoad['pace']> = {},
) => new WantedWorkers(targets).look({ workers, waiting, pace: paceOf(pace) }, 0);

describe('how many workers a fleet wants [B9]', () => {
  it.each([
    ['spare slots are kept', busy(6, 6), 0, {}, 15, 2, 'steady'],
    ['more when too few are spare', busy(8, 8), 0, {}, 20, 3, 'load'],
    ['more to work off what waits', busy(8, 8), 100, { waitMs: 6_000 }, 24, 3, 'backlog'],
    ['the faster it comes', busy(8, 8), 100, { waitMs: 6_000, growth: 2 }, 44, 6, 'backlog'],
    ['but a slot a job at most', busy(8, 8), 4, { waitMs: 60_000, growth: 9 }, 25, 4, 'backlog'],
    ['a slot for each where no pace is known', busy(4, 4), 12, {}, 25, 4, 'backlog'],
    ['fewer', busy(1, 1, 0, 0), 0, { waitMs: 100, growth: 3 }, 3, 1, 'idle'],
    ['one for nothing at all', busy(0), 0, {}, 0, 1, 'steady'],
    ['one where none is, of the usual size', [], 0, {}, 0, 1, 'no_worker'],
    ['for all that wait where none is', [], 32, {}, 40, 5, 'no_worker'],
  ] as const)('%s', (_what, workers, waiting, pace, wantedSlots, wantedWorkers, reason) => {
    const signal = wanted(workers, waiting, pace);
    expect(signal).toMatchObject({ waiting, wantedSlots, wantedWorkers, reason });
  });

  it('counts what leaves as load, and not as room', () => {
    const [, ...rest] = busy(8, 8, 8);
    const leaving = idle([{ state: { kind: 'draining' }, inFlight: 8 }]);
    const dead = idle([{ state: { kind: 'dead', silentMs: 4_000 }, inFlight: 8 }]);
    const expected = { workers: 2, slots: 16, inFlight: 24, wantedSlots: 30, wantedWorkers: 4 };
    expect(wanted([...rest, ...leaving, ...dead])).toMatchObject(expected);
  });

  it('asks for no more while the workers hold back from a provider that answers late', () => {
    const held = idle([2, 2, 2].map((slots) => ({ slots, fullSlots: 8, inFlight: slots })));
    expect(wanted(held, 90, { waitMs: 30_000, growth: 3 })).toMatchObject({
      ...{ workers: 3, slots: 6, wantedWorkers: 3, reason: 'provider' },
    });
    // One of three says nothing of the provider.
    const [one, ...others] = held;
    const most = idle([{ slots: 8, inFlight: 8 }, { slots: 8, inFlight: 8 }, { ...one }]);
    expect(others).toHaveLength(2);
    expect(wanted(most, 90, { waitMs: 30_000, growth: 3 }).wantedWorkers).toBeGreaterThan(3);
  });

  it('wants more at once, and fewer only when fewer would have done for a minute', () => {
    const wish = new WantedWorkers(targets);
    const at = (second: number, ...inFlights: readonly number[]) => {
      const { reason, wantedWorkers } = wish.look(
        { workers: busy(...inFlights), waiting: 0, pace: paceOf({}) },
        second * 1_000,
      );
      return [wantedWorkers, reason];
    };
    expect(at(0, 8, 8)).toEqual([3, 'load']);
    expect(at(1, 2, 2, 2)).toEqual([3, 'held']);
    // What was needed in between is what stays.
    expect(at(30, 4, 4, 4)).toEqual([3, 'held']);
    expect(at(60, 1, 0, 0)).toEqual([3, 'held']);
    expect(at(61, 1, 0, 0)).toEqual([2, 'idle']);
    expect(at(62, 1, 0)).toEqual([2, 'held']);
    expect(at(122, 1, 0)).toEqual([1, 'idle']);
    expect(at(123, 8, 8)).toEqual([3, 'load']);
  });

  it('never wants fewer for more that wait, nor more slots than there are jobs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(8), { minLength: 1, maxLength: 20 }),
        fc.nat(500),
        fc.nat(500),
        fc.option(fc.nat(100_000), { nil: undefined }),
        (inFlights, waiting, more, waitMs) => {
          const one = wanted(busy(...inFlights), waiting, { waitMs });
          const two = wanted(busy(...inFlights), waiting + more, { waitMs });
          expect(two.wantedSlots).toBeGreaterThanOrEqual(one.wantedSlots);
          const jobs = one.inFlight + waiting;
          expect(one.wantedSlots).toBeLessThanOrEqual(Math.ceil(jobs / targets.use));
          expect(one.wantedWorkers * 8).toBeGreaterThanOrEqual(one.wantedSlots);
        },
      ),
    );
  });

  it('brings a fleet that follows it to where it should be, without swinging', () => {
    // Jobs of 2 s; a worker has 4 slots and takes 15 s to start. The load doubles twice, then falls.
    const wish = new WantedWorkers({ ...targets, holdMs: 120_000 });
    const perSecond = (second: number) => (second < 120 ? 3 : second < 600 ? 12 : 3);
    const orders: number[] = [];
    const waits: number[] = [];
    const sizes: number[] = [];
    let queue = 0;
    for (let second = 0; second < 1_200; second += 1) {
      const size = orders[second - 15] ?? 2;
      const capacity = (size * 4) / 2;
      queue += perSecond(second);
      const started = Math.min(queue, capacity);
      queue -= started;
      const inFlight = Math.ceil(started * 2);
      const workers = idle(
        Array.from({ length: size }, () => ({ slots: 4, inFlight: inFlight / size })),
      );
      const waitMs = (queue / capacity) * 1_000;
      const pace = { waitMs, growth: perSecond(second) / started };
      const signal = wish.look({ workers, waiting: queue, pace }, second * 1_000);
      orders.push(signal.wantedWorkers);
      waits.push(waitMs);
      sizes.push(size);
    }
    // 24 slots in use want 30 by the target use: 8 workers of 4.
    expect(sizes.slice(400, 600)).toEqual(Array(200).fill(8));
    expect(Math.max(...waits.slice(180))).toBe(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
    expect(sizes.at(-1)).toBe(2);
    const turns = sizes.filter((size, n) => n > 0 && size !== sizes[n - 1]);
    expect(turns.length).toBeLessThanOrEqual(8);
  });
});

describe('what the signal is made of [B9]', () => {
  it('a worker that holds back says how many slots it has', () => {
    const driver = new WorkerDriver();
    driver.step({ kind: 'tick' });
    expect(driver.report.fullSlots).toBeUndefined();
    const view = new FleetView(defaultFleetViewLimits);
    view.report({ ...driver.report, slots: 1, fullSlots: 4 }, 0);
    expect([...view.loads(0)]).toMatchObject([{ slots: 1, fullSlots: 4 }]);
  });

  it('of several balancers the one that wants most is believed, while it is heard', () => {
    const board = new SignalBoard();
    const say = (
      name: string,
      wantedSlots: number | undefined,
      ownWaiting: number,
      nowMs: number,
    ) => {
      const scaling: ScalingSignal | undefined =
        wantedSlots === undefined
          ? undefined
          : {
              ...{ workers: 1, slots: 8, inFlight: 0, waiting: 0 },
              ...{ wantedSlots, wantedWorkers: 1, reason: 'steady' },
            };
      board.heard(
        {
          ...{ balancerId: balancerId.parse(name), epoch: 1, draining: false, ownWaiting },
          ...(scaling && { scaling }),
        },
        nowMs,
      );
    };
    expect(board.signal(0)).toBeUndefined();
    say('a', 8, 3, 0);
    say('b', 16, 4, 1_000);
    say('c', undefined, 5, 1_000);
    expect(board.signal(1_000)?.wantedSlots).toBe(16);
    expect([board.ownWaiting(1_000), board.ownWaiting(3_500)]).toEqual([12, 9]);
    expect(board.signal(4_500)).toBeUndefined();
    for (let n = 0; n < 100; n += 1) say(`other-${n}`, 1, 1, 5_000);
    expect(board.ownWaiting(5_000)).toBe(64);
  });
});
