import { seededRandom } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centralQueueWaits } from '../src/stats/central-queue.ts';
import { lognormalServiceTimes } from '../src/stats/service-times.ts';
import { idealAssignment, spreadPercent, startsAboveLeast } from '../src/stats/worker-spread.ts';

const job = (arrivedMs: number, serviceMs: number) => ({ arrivedMs, serviceMs });

describe('centralQueueWaits', () => {
  it('lets nobody wait while a slot is free, and then in the order of arrival', () => {
    const jobs = [job(0, 100), job(10, 50), job(20, 10), job(30, 10), job(200, 5)];
    expect(centralQueueWaits(jobs, 2)).toEqual([0, 0, 40, 40, 0]);
    expect(centralQueueWaits(jobs, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  it('answers in the order of the jobs given, whatever their arrival', () => {
    expect(centralQueueWaits([job(10, 5), job(0, 100)], 1)).toEqual([90, 0]);
  });

  it('never has more jobs running than slots, and never an idle slot beside a waiting job', () => {
    const jobs = fc.array(
      fc.record({ arrivedMs: fc.nat(500), serviceMs: fc.integer({ min: 1, max: 90 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(jobs, fc.integer({ min: 1, max: 5 }), (given, slots) => {
        const waits = centralQueueWaits(given, slots);
        const runs = given.map(({ arrivedMs, serviceMs }, index) => {
          const startMs = arrivedMs + (waits[index] ?? Number.NaN);
          return { arrivedMs, startMs, endMs: startMs + serviceMs };
        });
        for (const { arrivedMs, startMs } of runs) {
          const runningAt = (atMs: number) =>
            runs.filter((run) => run.startMs <= atMs && atMs < run.endMs).length;
          expect(runningAt(startMs)).toBeLessThanOrEqual(slots);
          if (startMs > arrivedMs) expect(runningAt(startMs - 1)).toBe(slots);
        }
      }),
    );
  });
});

describe('lognormalServiceTimes', () => {
  it('has the mean it is asked for, long ones among them, and repeats itself', () => {
    const options = { meanMs: 80, sigma: 1.1, count: 50_000, seed: 3 };
    const times = lognormalServiceTimes(options);
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    expect(mean).toBeGreaterThan(77);
    expect(mean).toBeLessThan(83);
    expect(Math.max(...times)).toBeGreaterThan(800);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1);
    expect(times).toEqual(lognormalServiceTimes(options));
  });
});

describe('spread over workers', () => {
  const workers = ['a', 'b', 'c'];
  const on = (worker: string, startMs: number, endMs: number) => ({ worker, startMs, endMs });

  it('is the difference of most and fewest over the mean', () => {
    const jobs = [
      on('a', 0, 1),
      on('a', 0, 1),
      on('a', 0, 1),
      on('b', 0, 1),
      on('b', 0, 1),
      on('c', 0, 1),
    ];
    expect(spreadPercent(jobs, workers)).toBe(100);
    expect(spreadPercent(jobs.slice(2, 3), ['a'])).toBe(0);
  });

  it('tells by how much a choice missed the least loaded worker', () => {
    const jobs = [
      on('a', 0, 100),
      on('a', 10, 100),
      on('b', 20, 100),
      on('c', 100, 200),
      on('c', 101, 200),
    ];
    // c was idle when a got its second job and b its first; all are idle at 100.
    expect(startsAboveLeast(jobs, workers)).toEqual([0, 1, 0, 0, 1]);
  });

  it('has an ideal that never misses and uses all workers alike', () => {
    const random = seededRandom(1);
    const jobs = Array.from({ length: 3_000 }, (_, index) => ({
      startMs: index * 10,
      endMs: index * 10 + 1 + random.integer(60),
    }));
    const ideal = idealAssignment(jobs, workers, random);
    expect(Math.max(...startsAboveLeast(ideal, workers))).toBe(0);
    expect(spreadPercent(ideal, workers)).toBeLessThan(10);
  });
});
