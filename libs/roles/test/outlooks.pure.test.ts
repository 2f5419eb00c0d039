/** Balancers tell the owner of waiting jobs where they stand. */
import { decode, type Outlook, outlookContract, subjects } from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const takes = (ms: number): readonly FakeStep[] => [{ kind: 'wait', ms }, ...answerOf('Done')];

describe('a balancer with waiting jobs', () => {
  let fleet: Fleet;
  /** What was told, with when. */
  let told: (Outlook & { readonly atMs: number })[];
  let messages: number;

  beforeEach(async () => {
    fleet = await Fleet.start();
    told = [];
    messages = 0;
    await fleet.bus.messaging.subscribe(subjects.outlook(fleet.cluster.id), ({ payload }) => {
      const decoded = decode(outlookContract, payload);
      if (!decoded.ok) throw new Error('an outlook that does not decode');
      messages += 1;
      const atMs = fleet.clock.monotonicMs();
      told.push(...decoded.value.jobs.map((outlook) => ({ ...outlook, atMs })));
    });
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const oneSlot = (ms: number) =>
    fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => takes(ms),
    });
  const of = (jobId: string) => told.filter((outlook) => outlook.jobId === jobId);

  it('tells their owner after a while, every two seconds, until they run [B6]', async () => {
    await oneSlot(6_000);
    await fleet.balancer();
    await fleet.clock.advance(300);
    const running = await fleet.ask();
    const [second, third] = [await fleet.ask(), await fleet.ask()];
    const startMs = fleet.clock.monotonicMs();
    await fleet.clock.advance(1_400);
    expect(told).toEqual([]);
    await fleet.clock.advance(15_000);
    expect(of(running.jobId)).toEqual([]);
    const positions = (jobId: string) => of(jobId).map(({ position }) => position);
    expect(positions(second.jobId)).toEqual([0, 0, 0]);
    expect(positions(third.jobId)).toEqual([1, 1, 1, 0, 0, 0]);
    expect(of(third.jobId)[0]?.stored).toBeGreaterThan(0);
    const times = of(third.jobId).map(({ atMs }) => atMs - startMs);
    expect(times[0]).toBeLessThanOrEqual(1_800);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
    // Both in one message, as long as both wait.
    expect(messages).toBe(6);
  });

  it('is the only one that tells of a job, and another does when it is gone [B4] [B6]', async () => {
    await oneSlot(60_000);
    const balancers = await Promise.all(['b0', 'b1', 'b2'].map((name) => fleet.balancer(name)));
    await fleet.clock.advance(1_000);
    await fleet.ask();
    const waiting = [];
    for (let job = 0; job < 12; job += 1) waiting.push(await fleet.ask());
    await fleet.clock.advance(6_000);
    for (const { jobId } of waiting) {
      const times = of(jobId).map(({ atMs }) => atMs);
      expect(times.length).toBeGreaterThanOrEqual(2);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(2_000);
    }
    await balancers[0]?.drain({ signal: new AbortController().signal });
    await fleet.clock.advance(1_000);
    told = [];
    await fleet.clock.advance(3_000);
    expect(new Set(told.map(({ jobId }) => jobId)).size).toBe(12);
  });

  it('tells what the wait will be once it has seen enough start', async () => {
    await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '2' },
      script: () => takes(100),
    });
    await fleet.balancer();
    await fleet.clock.advance(2_000);
    for (let job = 0; job < 400; job += 1) await fleet.ask();
    await fleet.clock.advance(12_000);
    told = [];
    await fleet.clock.advance(2_000);
    const [last] = told.toSorted((a, b) => b.position - a.position);
    // Two slots, a tenth of a second each.
    expect(last?.waitMs).toBeGreaterThan((last?.position ?? 0) * 25);
    expect(last?.waitMs).toBeLessThan((last?.position ?? 0) * 150);
  });

  it('tells of so many at a time, and goes on from there', async () => {
    await oneSlot(600_000);
    await fleet.balancer();
    await fleet.clock.advance(300);
    for (let job = 0; job < 501; job += 1) await fleet.ask();
    await fleet.clock.advance(1_500);
    const counts = [];
    for (let round = 0; round < 4; round += 1) {
      told = [];
      await fleet.clock.advance(250);
      counts.push(told.length);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(200);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(500);
  });
});
