import { describe, expect, it } from 'vitest';
import { balancerReport, balancerStudy } from '../src/index.ts';

describe('the study of the balancer', () => {
  // Shorter than `npm run sim -- balancer`, which repeats it at full length.
  const size = { seed: 4, seeds: 1, jobs: 8_000, surgeMs: 40_000, crashAfterMs: 60_000 };
  const rows = [...balancerStudy(size)];
  const report = balancerReport(rows);
  const row = (situation: string, design: string, balancers: number) =>
    rows.find(
      (one) => one.situation === situation && one.design === design && one.balancers === balancers,
    );

  it('reaches what was asked of the chosen design [B1] [B4] [B6]', () => {
    expect(report.missed).toEqual([]);
    expect(report).toMatchObject({ ok: true, chosen: 'shared_view' });
    expect(Object.keys(report.surgeColdP99Ms)).toEqual(['1', '3', '8']);
  });

  it('finds early binding a hundred times worse, and a window before a FIFO unfair', () => {
    const { chosen, p2c, leastConnectionsStale } = report.queueWaitP99Ms;
    expect(p2c).toBeGreaterThan(100 * chosen);
    expect(leastConnectionsStale).toBeGreaterThan(100 * chosen);
    expect(row('surge', 'credits_stealing', 3)?.waitP99Ms).toBeGreaterThan(10_000);
  });

  it('keeps in flight per slot within one job, over workers of equal and of mixed size [B1]', () => {
    const even = rows.filter(({ situation }) => situation === 'even');
    expect(even.map(({ workers }) => workers)).toEqual([3, 3, 10, 10, 30, 30]);
    // What is left was told within 25 ms; a choice among our own grants alone has 6, and 11 to 16 mixed.
    for (const one of even) {
      expect(one.aheadPerThousand).toBeLessThan(one.mixed ? 15 : 2);
      expect(one.mostAhead).toBeLessThanOrEqual(3);
    }
  });

  it('starts a job that only its home sees in a free slot, whoever it was dealt to [B1] [B4]', () => {
    expect(Object.keys(report.ephemeralP99Ms)).toEqual(['1', '3', '8']);
    // A hop to the home and one to the worker; without grants that may be borrowed it is seconds.
    for (const waitMs of Object.values(report.ephemeralP99Ms)) expect(waitMs).toBeLessThan(10);
    expect(row('ephemeral', 'shared_view', 8)?.refusedFullPerThousand).toBeLessThan(10);
  });

  it('measures what stands idle, the messages and the lost races', () => {
    for (const one of rows) expect(one.idleWhileWaiting).toBeLessThan(0.3);
    expect(row('steady', 'shared_view', 4)?.idleWhileWaiting).toBeLessThan(0.002);
    expect(row('surge', 'shared_view', 1)?.lostRacesPerThousand).toBe(0);
    expect(row('surge', 'shared_view', 3)?.lostRacesPerThousand).toBeGreaterThan(0);
    expect(row('steady', 'central', 4)?.messagesPerJob).toBe(0);
  });
});

describe('the report', () => {
  it('counts a number that is missing as one that was not reached', () => {
    expect(balancerReport([])).toMatchObject({
      ok: false,
      missed: [
        'queue wait',
        'queue wait against the ideal',
        'surge',
        'crash',
        'spread',
        'in flight per slot',
        'ephemeral',
      ],
    });
  });
});
