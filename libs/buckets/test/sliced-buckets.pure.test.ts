import { SimulatedClock, seededRandom } from '@starling/clock';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Buckets, createMemoryBuckets, createSlicedBuckets } from '../src/index.ts';

const windowMs = 60_000;
const limit = { kind: 'window', permits: 1_000, windowMs } as const;
const asked = [{ key: 'hot', limit, amount: 1, spent: true }];
const call = { id: 'request', holdMs: 0, asked };

describe('slices of a hot window', () => {
  let clock: SimulatedClock;
  let roundTrips: number;
  let shared: Buckets;
  beforeEach(() => {
    clock = new SimulatedClock();
    roundTrips = 0;
    const inner = createMemoryBuckets({ clock });
    shared = {
      ...inner,
      reserve: (asks) => {
        roundTrips += 1;
        return inner.reserve(asks);
      },
    };
  });
  const open = (holder: string) => createSlicedBuckets({ inner: shared, clock, holder });

  it('ask the bucket once a second for what is spent often, each call for what is not [D3]', async () => {
    const buckets = open('a');
    for (let n = 0; n < 5; n += 1) {
      expect(await buckets.reserve(call)).toMatchObject({ kind: 'reserved' });
      await clock.advance(1_000);
    }
    expect(roundTrips).toBe(5);
    for (let n = 0; n < 200; n += 1) {
      expect(await buckets.reserve(call)).toMatchObject({ kind: 'reserved' });
      await clock.advance(50);
    }
    // Ten seconds of 20 a second: the first of them one by one.
    expect(roundTrips).toBeLessThanOrEqual(5 + 21 + 12);
  });

  it('give back what nobody spent, at their end', async () => {
    const buckets = open('a');
    for (let n = 0; n < 30; n += 1) {
      await buckets.reserve(call);
      await clock.advance(100);
    }
    await clock.advance(1_100);
    expect(await shared.levels(asked)).toEqual([30]);
  });

  it('let no window be exceeded by several who hold some, and use it [D2] [D3]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000), async (seed) => {
        clock = new SimulatedClock();
        const random = seededRandom(seed);
        const inner = createMemoryBuckets({ clock });
        const holders = ['a', 'b', 'c'].map((holder) =>
          createSlicedBuckets({ inner, clock, holder }),
        );
        const servedAtMs: number[] = [];
        for (let step = 0; step < 1_500; step += 1) {
          await clock.advance(random.integer(80));
          const holder = holders[random.integer(holders.length)];
          for (let n = random.integer(3); n > 0; n -= 1) {
            if ((await holder?.reserve(call))?.kind === 'reserved') servedAtMs.push(clock.nowMs());
          }
        }
        const most = Math.max(
          ...servedAtMs.map(
            (toMs) => servedAtMs.filter((at) => at <= toMs && at >= toMs - windowMs).length,
          ),
        );
        expect(most).toBeLessThanOrEqual(1_000);
        expect(most).toBeGreaterThan(950);
      }),
      { numRuns: 5 },
    );
  });
});
