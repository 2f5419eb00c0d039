/** Load reports that no worker wrote, and workers that do not do what they say. */
import {
  decode,
  encode,
  type JobId,
  type LoadReport,
  loadReportContract,
  runReplyContract,
  runRequestContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const everyMs = 250;

describe('a balancer that is told wrong things', () => {
  let fleet: Fleet;
  let timer: Disposable | undefined;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(async () => {
    timer?.[Symbol.dispose]();
    await fleet[Symbol.asyncDispose]();
  });

  const ended = (count: number) => () => fleet.cluster.delivered.length >= count;
  const codes = () =>
    fleet.cluster.delivered.map(({ outcome }) =>
      outcome.kind === 'failed' ? outcome.code : 'done',
    );
  const dispatchesTo = (name: string) =>
    fleet.telemetry.spans.filter(
      (span) => span.name === 'dispatch' && span.attributes['starling.worker.id'] === name,
    );

  function say(name: string, changes: Partial<LoadReport>): void {
    const report = { workerId: workerId.parse(name), epoch: 1, sequence: 0, slots: 4 };
    const rest = { running: [], draining: false, ...changes };
    fleet.bus.messaging.publish(
      subjects.load(report.workerId),
      encode(loadReportContract, { ...report, ...rest }),
    );
  }

  /** Reports of a worker as often as a worker writes them, each one news. */
  function keepSaying(name: string, changes: () => Partial<LoadReport>): void {
    let sequence = 0;
    const tell = () => {
      timer = fleet.clock.schedule(everyMs, tell);
      sequence += 1;
      say(name, { sequence, ...changes() });
    };
    tell();
  }

  /** A worker that takes what it is sent and does nothing with it. */
  async function idler(name: string): Promise<JobId[]> {
    const taken: JobId[] = [];
    await fleet.bus.messaging.subscribe(subjects.run(workerId.parse(name)), (message) => {
      const asked = decode(runRequestContract, message.payload);
      if (asked.ok) taken.push(asked.value.jobId);
      message.respond(encode(runReplyContract, { kind: 'ok' }));
    });
    return taken;
  }

  it('sends nobody’s slots their jobs in vain for long: a worker that is not there costs a hop a report [B1] [B5]', async () => {
    await fleet.balancer();
    keepSaying('ghost', () => ({ slots: 100, grants: { b0: 100 } }));
    await fleet.worker('w0');
    await fleet.clock.advance(1_000);
    for (let job = 0; job < 20; job += 1) await fleet.ask();
    await fleet.until(ended(20), { withinMs: 10_000 });
    expect(codes()).toEqual(Array(20).fill('done'));
    expect(fleet.cluster.delivered.every(({ attempt }) => attempt === 1)).toBe(true);
    const reports = fleet.clock.monotonicMs() / everyMs;
    expect(dispatchesTo('ghost').length).toBeGreaterThan(0);
    expect(dispatchesTo('ghost').length).toBeLessThanOrEqual(reports);
  });

  it('takes the reports of a dead worker that come late for what they are [B3]', async () => {
    const written: Uint8Array[] = [];
    await fleet.bus.messaging.subscribe('load.w0', ({ payload }) => {
      written.push(Uint8Array.from(payload));
    });
    await fleet.worker('w0');
    await fleet.balancer();
    await fleet.clock.advance(1_000);
    fleet.kill('w0');
    const late = written.slice();
    for (let again = 0; again < 40; again += 1) {
      for (const payload of late) fleet.bus.messaging.publish('load.w0', payload);
      await fleet.clock.advance(everyMs);
    }
    await fleet.ask();
    await fleet.clock.advance(2_000);
    expect(dispatchesTo('w0')).toEqual([]);
    await fleet.worker('w1');
    await fleet.until(ended(1), { withinMs: 2_000 });
    expect(codes()).toEqual(['done']);
  });

  it('uses a worker again whose epoch somebody forged, seconds later [B3]', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    await fleet.clock.advance(1_000);
    say('w0', { epoch: 1e15, slots: 1 });
    await fleet.ask();
    await fleet.until(ended(1), { withinMs: 5_000 });
    expect(codes()).toEqual(['done']);
  });

  it('tells an operator of a worker whose clock is wrong', async () => {
    await fleet.balancer();
    keepSaying('w0', () => ({ atMs: fleet.clock.nowMs() + 5_000 }));
    await fleet.clock.advance(11_000);
    const skewed = fleet.telemetry.lines.filter(({ event }) => event === 'clock.skewed');
    expect(skewed.map(({ detail }) => detail)).toMatchObject([
      { source: 'worker w0', behind_ms: -5_000 },
    ]);
  });

  it('believes no report that a job runs or has ended: the ledger is asked [A7] [B5]', async () => {
    await fleet.balancer();
    const runs = await fleet.ask();
    const over = await fleet.ask();
    say('ghost', { running: [runs.jobId], ended: [{ jobId: over.jobId, tokens: 7 }] });
    await fleet.clock.advance(1_000);
    await fleet.worker('w0');
    await fleet.until(ended(2), { withinMs: 20_000 });
    expect(codes()).toEqual(['done', 'done']);
  });

  it('gives nothing to a worker without slots, whatever it grants, and waits for another [B1]', async () => {
    await fleet.balancer();
    keepSaying('none', () => ({ slots: 0 }));
    await fleet.ask();
    await fleet.clock.advance(2_000);
    expect(dispatchesTo('none')).toEqual([]);
    timer?.[Symbol.dispose]();
    keepSaying('none', () => ({ epoch: 2, slots: 0, grants: { b0: 3 } }));
    await fleet.worker('w0');
    for (let job = 0; job < 10; job += 1) await fleet.ask();
    await fleet.until(ended(11), { withinMs: 5_000 });
    expect(codes()).toEqual(Array(11).fill('done'));
    expect(dispatchesTo('none')).toEqual([]);
  });

  it('takes a job back from a worker that accepts and never begins, and ends it when that is all there is [B5] [F10]', async () => {
    await fleet.balancer();
    const taken = await idler('idler');
    keepSaying('idler', () => ({ grants: { b0: 4 } }));
    await fleet.clock.advance(500);
    const job = await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 20_000 });
    await fleet.until(ended(1), { withinMs: 20_000 + 15_000 });
    expect(codes()).toEqual(['deadline_exceeded']);
    expect(new Set(taken)).toEqual(new Set([job.jobId]));
    await fleet.ask();
    await fleet.clock.advance(1_000);
    await fleet.worker('w0');
    await fleet.until(ended(2), { withinMs: 15_000 });
    expect(codes()).toEqual(['deadline_exceeded', 'done']);
  });

  it('ends at its deadline a job that a worker says it runs for ever [B7] [F10]', async () => {
    await fleet.balancer();
    const taken = await idler('idler');
    keepSaying('idler', () => ({ grants: { b0: 4 }, running: taken }));
    await fleet.clock.advance(500);
    await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 20_000 });
    await fleet.until(ended(1), { withinMs: 20_000 + 15_000 });
    expect(codes()).toEqual(['deadline_exceeded']);
    expect(taken.length).toBeGreaterThan(0);
  });
});
