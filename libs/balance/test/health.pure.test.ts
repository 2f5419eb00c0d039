import { seededRandom } from '@starling/clock';
import { type WorkerId, workerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { fleetNorm, healthScore } from '../src/health/health-score.ts';
import { HealthTracker } from '../src/health/health-tracker.ts';
import { chooseWorker, type WorkerLoad } from '../src/index.ts';

const quick = { errorRate: 0, firstTokenMs: 200 };

describe('the health score', () => {
  it('is judged by the fleet: when all are slow or failing nobody is sick [B3]', () => {
    const all = [1, 2, 3].map(() => ({ errorRate: 0.9, firstTokenMs: 9_000 }));
    for (const signs of all) expect(healthScore(signs, fleetNorm(all))).toBe(1);
  });

  it('falls with latency beyond twice the usual, and with errors beyond the usual [B3]', () => {
    const norm = fleetNorm([quick, quick, quick]);
    const at = (firstTokenMs: number, errorRate = 0) =>
      healthScore({ firstTokenMs, errorRate }, norm);
    expect(at(400)).toBe(1);
    expect(at(2_000)).toBeCloseTo(0.04);
    expect(at(200, 0.5)).toBeCloseTo(0.25);
    expect(at(200_000, 1)).toBeGreaterThan(0);
  });

  it('judges one of two by the quicker', () => {
    expect(
      healthScore(
        { errorRate: 0, firstTokenMs: 2_000 },
        fleetNorm([quick, { errorRate: 0, firstTokenMs: 2_000 }]),
      ),
    ).toBeLessThan(0.1);
  });
});

describe('a worker’s own signs', () => {
  it('notice a peak at once and fade when nothing is learned: the slow return [B3]', () => {
    const tracker = new HealthTracker();
    tracker.learn({ failed: false, firstTokenMs: 200 }, 0);
    tracker.learn({ failed: true, firstTokenMs: 2_000 }, 100);
    expect(tracker.signs(100).firstTokenMs).toBe(2_000);
    expect(tracker.signs(100).errorRate).toBeCloseTo(0.3);
    expect(tracker.signs(3_100).firstTokenMs).toBeCloseTo(1_000);
    expect(tracker.signs(8_000).firstTokenMs).toBeGreaterThan(200);
    expect(tracker.signs(20_000)).toEqual({ errorRate: 0, firstTokenMs: undefined });
  });

  it('forget a slow hour once jobs are quick again', () => {
    const tracker = new HealthTracker();
    tracker.learn({ failed: false, firstTokenMs: 5_000 }, 0);
    for (let n = 1; n <= 20; n += 1) tracker.learn({ failed: false, firstTokenMs: 200 }, n * 100);
    expect(tracker.signs(2_000).firstTokenMs).toBeLessThan(400);
  });
});

/** A minimal fleet: jobs come at a steady rate, are placed by the choice and last as long as their worker takes. */
class Fleet {
  readonly names = ['a', 'b', 'c', 'd'].map((name) => workerId.parse(name));
  readonly done = new Map<WorkerId, number>();
  #running: { readonly worker: WorkerId; readonly endMs: number; readonly firstMs: number }[] = [];
  readonly #trackers = new Map(this.names.map((name) => [name, new HealthTracker()]));
  readonly #random = seededRandom(9);

  run(
    fromMs: number,
    toMs: number,
    everyMs: number,
    firstMsOf: (worker: WorkerId) => number,
  ): void {
    for (let nowMs = fromMs; nowMs < toMs; nowMs += everyMs) {
      for (const { worker, endMs, firstMs } of this.#running) {
        if (endMs > nowMs) continue;
        this.#trackers.get(worker)?.learn({ failed: false, firstTokenMs: firstMs }, nowMs);
        this.done.set(worker, (this.done.get(worker) ?? 0) + 1);
      }
      this.#running = this.#running.filter(({ endMs }) => endMs > nowMs);
      this.#place(nowMs, firstMsOf);
    }
  }

  #place(nowMs: number, firstMsOf: (worker: WorkerId) => number): void {
    const signs = this.names.map((name) => this.#trackers.get(name)?.signs(nowMs) ?? quick);
    const norm = fleetNorm(signs);
    const loads = this.names.map(
      (name, index): WorkerLoad => ({
        workerId: name,
        state: { kind: 'serving' },
        slots: 4,
        inFlight: this.#running.filter(({ worker }) => worker === name).length,
        score: healthScore(signs[index] ?? quick, norm),
      }),
    );
    const choice = chooseWorker(loads, { exclude: new Set(), random: this.#random });
    if (choice.kind === 'none') return;
    const firstMs = firstMsOf(choice.workerId);
    // Only the first token is late: the rest of the stream takes as long as everywhere.
    this.#running.push({ worker: choice.workerId, endMs: nowMs + firstMs + 300, firstMs });
  }
}

describe('a worker at ten times the latency', () => {
  it.each([
    { what: 'light', everyMs: 120 },
    { what: 'heavy', everyMs: 35 },
  ])(
    'gets less than a fifth of its share within 5 s, and all of it after it is well ($what load) [B3]',
    ({ everyMs }) => {
      const fleet = new Fleet();
      const sick = fleet.names[0];
      fleet.run(0, 10_000, everyMs, () => 100);
      fleet.run(10_000, 15_000, everyMs, (worker) => (worker === sick ? 1_000 : 100));
      fleet.done.clear();
      fleet.run(15_000, 25_000, everyMs, (worker) => (worker === sick ? 1_000 : 100));
      const shareOf = () => {
        const total = [...fleet.done.values()].reduce((sum, jobs) => sum + jobs, 0);
        return (
          ((sick === undefined ? 0 : fleet.done.get(sick)) ?? 0) / (total / fleet.names.length)
        );
      };
      expect(shareOf()).toBeLessThan(0.2);
      fleet.run(25_000, 37_000, everyMs, () => 100);
      fleet.done.clear();
      fleet.run(37_000, 47_000, everyMs, () => 100);
      expect(shareOf()).toBeGreaterThan(0.8);
    },
  );
});
