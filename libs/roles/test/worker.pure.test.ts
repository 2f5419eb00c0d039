import {
  balancerId,
  cancelContract,
  decode,
  encode,
  type JobId,
  jobContract,
  jobId,
  type LoadReport,
  loadReportContract,
  type RunReply,
  type RunRequest,
  runReplyContract,
  runRequestContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const w0 = workerId.parse('w0');
const slow: readonly FakeStep[] = [
  { kind: 'text', text: 'Once ' },
  { kind: 'wait', ms: 10_000 },
  ...answerOf('upon a time'),
];

describe('a worker', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  /** Takes the next job from the queue. */
  async function take(): Promise<RunRequest> {
    const queue = await fleet.queue();
    const [message] = await queue.take({ max: 1, waitMs: 0 });
    if (!message) throw new Error('no job in the queue');
    const decoded = decode(jobContract, message.payload);
    if (!decoded.ok) throw new Error('a job that does not decode');
    return {
      job: decoded.value,
      attempt: message.deliveryCount,
      receipt: message.receipt,
      dequeuedAtMs: fleet.clock.nowMs(),
      dispatchedBy: balancerId.parse('b0'),
    };
  }

  /** Takes the next job and asks the worker to run it, as a balancer would. */
  const run = async () => await request(await take());

  async function request(payload: RunRequest | Uint8Array): Promise<RunReply> {
    const bytes = payload instanceof Uint8Array ? payload : encode(runRequestContract, payload);
    const asked = fleet.bus.messaging.request(subjects.run(w0), bytes, { timeoutMs: 1_000 });
    const decoded = decode(runReplyContract, (await asked).payload);
    if (!decoded.ok) throw new Error('a reply that does not decode');
    return decoded.value;
  }

  const cancel = (id: JobId) =>
    fleet.bus.messaging.publish(
      subjects.cancel(id),
      encode(cancelContract, { jobId: id, reason: 'user' }),
    );

  const queued = async () => (await fleet.queue()).size();

  it('answers with numbered frames and an authoritative result, then acknowledges [A9] [B5]', async () => {
    await fleet.worker('w0', { script: () => answerOf('One ', 'two ', 'three') });
    const job = await fleet.ask();
    expect(await run()).toEqual({ kind: 'ok', slots: 8, inFlight: 1 });
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    const [result] = fleet.cluster.delivered;
    expect(result).toMatchObject({
      jobId: job.jobId,
      attempt: 1,
      outcome: { kind: 'done', text: 'One two three', frames: fleet.cluster.frames.length },
      servedBy: 'w0',
      dispatchedBy: 'b0',
      timings: { queueMs: 0, dispatchMs: 0 },
    });
    expect(fleet.cluster.frames.map(({ sequence }) => sequence)).toEqual([0, 1]);
    // The first text at once, what followed in one frame.
    expect(fleet.cluster.frames.map(({ text }) => text)).toEqual(['One ', 'two three']);
    expect(await queued()).toBe(0);
  });

  it('sends a frame every 40 ms, and sooner when 1 kB has come [A9]', async () => {
    const drip = Array.from({ length: 10 }, (): FakeStep[] => [
      { kind: 'text', text: 'x' },
      { kind: 'wait', ms: 10 },
    ]).flat();
    await fleet.worker('w0', {
      script: () => [...drip, { kind: 'text', text: 'y'.repeat(40_000) }, ...answerOf('.')],
    });
    await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    const texts = fleet.cluster.frames.map(({ text }) => text);
    expect(texts.slice(0, 3)).toEqual(['x', 'xxxx', 'xxxx']);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(16 * 1024);
    expect(texts.join('')).toBe(`${'x'.repeat(10)}${'y'.repeat(40_000)}.`);
  });

  it('says what it does with a request: full, running, expired, draining, invalid [B1] [B8]', async () => {
    const { role } = await fleet.worker('w0', {
      script: () => slow,
      settings: { STARLING_WORKER_SLOTS: '1' },
    });
    await fleet.ask('first');
    expect((await run()).kind).toBe('ok');
    await fleet.ask('second');
    expect(await run()).toEqual({ kind: 'full', slots: 1, inFlight: 1 });
    await fleet.ask('late', { deadlineAtMs: fleet.clock.nowMs() });
    expect((await run()).kind).toBe('expired');
    expect((await request(Buffer.from('{"v":1}'))).kind).toBe('invalid');
    expect((await request(Buffer.from('not json'))).kind).toBe('invalid');
    const drained = role.drain({ signal: new AbortController().signal });
    await fleet.ask('too late');
    expect((await run()).kind).toBe('draining');
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    await drained;
  });

  it('runs a job once when its request comes twice, and settles the newest delivery [B5]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => slow });
    await fleet.ask();
    const first = await take();
    expect((await request(first)).kind).toBe('ok');
    // The delivery is given away behind the worker's back: the queue delivers the job again.
    await fleet.bus.settle(first.receipt, { kind: 'retry', delayMs: 0 });
    await fleet.clock.advance(1);
    expect((await run()).kind).toBe('running');
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    await fleet.clock.advance(20_000);
    expect(provider.calls).toHaveLength(1);
    expect(fleet.cluster.delivered).toHaveLength(1);
    expect(await queued()).toBe(0);
  });

  it('closes the stream at once when it is cancelled, and frees the slot [A10]', async () => {
    const { provider, role } = await fleet.worker('w0', { script: () => slow });
    const job = await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const cancelledAtMs = fleet.clock.nowMs();
    cancel(job.jobId);
    await fleet.clock.advance(0);
    expect(provider.calls[0]?.abortedAtMs).toBe(cancelledAtMs);
    expect(role.snapshot().running).toEqual([]);
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    expect(fleet.cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'cancelled',
      partialText: 'Once ',
    });
    expect(await queued()).toBe(0);
  });

  it('does not run a job whose cancel overtook it [A10]', async () => {
    await fleet.worker('w0', { script: () => slow });
    const job = await fleet.ask();
    cancel(job.jobId);
    await fleet.clock.advance(1);
    await run();
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    expect(fleet.cluster.delivered[0]?.outcome).toMatchObject({ code: 'cancelled' });
    expect(fleet.cluster.frames).toEqual([]);
  });

  it('ends a job at its deadline with an honest failure [F10]', async () => {
    await fleet.worker('w0', { script: () => slow });
    await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 5_000 });
    await run();
    await fleet.until(() => fleet.cluster.delivered.length === 1, { withinMs: 5_100 });
    expect(fleet.cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'deadline_exceeded',
      partialText: 'Once ',
    });
  });

  it('keeps its delivery alive for as long as it works on it [B5]', async () => {
    await fleet.worker('w0', {
      script: () => [{ kind: 'wait', ms: 50_000 }, ...answerOf('At last')],
    });
    await fleet.ask();
    await run();
    await fleet.clock.advance(45_000);
    expect(await (await fleet.queue()).take({ max: 1, waitMs: 0 })).toEqual([]);
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    expect(await queued()).toBe(0);
  });

  it('frees the slot at the last token though the cluster is busy, and delivers later [B5]', async () => {
    const { role } = await fleet.worker('w0');
    fleet.cluster.reply = 'busy';
    await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.offered.length >= 3);
    expect(role.snapshot()).toMatchObject({ running: [], undelivered: 1 });
    expect(await queued()).toBe(1);
    fleet.cluster.reply = 'delivered';
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    await fleet.clock.advance(0);
    expect(await queued()).toBe(0);
  });

  it('gives a job back when its cluster stays away, and re-sends the result without a call [B5]', async () => {
    const { provider, role } = await fleet.worker('w0');
    fleet.cluster.reply = 'nothing';
    await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 600_000 });
    await run();
    await fleet.until(() => fleet.cluster.offered.length > 0);
    await fleet.until(() => role.snapshot().undelivered === 0, { withinMs: 75_000 });
    expect(await queued()).toBe(1);
    fleet.cluster.reply = 'delivered';
    await fleet.clock.advance(5_000);
    expect((await run()).kind).toBe('running');
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    await fleet.clock.advance(0);
    expect(provider.calls).toHaveLength(1);
    expect(await queued()).toBe(0);
  });

  it('acknowledges again a job that it has delivered already [B5]', async () => {
    const { provider } = await fleet.worker('w0');
    await fleet.ask();
    const asked = await take();
    await fleet.ask('another');
    const elsewhere = (await take()).receipt;
    await fleet.bus.settle(elsewhere, { kind: 'ack' });
    // Its acknowledgement goes nowhere, as if the server had forgotten it.
    await request({ ...asked, receipt: elsewhere });
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    expect(await queued()).toBe(1);
    expect((await request({ ...asked, attempt: 2 })).kind).toBe('running');
    await fleet.clock.advance(0);
    expect(await queued()).toBe(0);
    expect(provider.calls).toHaveLength(1);
    expect(fleet.cluster.delivered).toHaveLength(1);
  });

  it('takes no more work while too many results wait for their clusters', async () => {
    await fleet.worker('w0', { settings: { STARLING_MAX_UNDELIVERED: '2' } });
    fleet.cluster.reply = 'busy';
    for (const expected of ['ok', 'ok', 'full'] as const) {
      await fleet.ask();
      expect((await run()).kind).toBe(expected);
      await fleet.clock.advance(50);
    }
    fleet.cluster.reply = 'delivered';
    await fleet.until(() => fleet.cluster.delivered.length === 2);
  });

  it('drains: finishes and delivers what streams, and says so in its reports [B8]', async () => {
    const reports: LoadReport[] = [];
    await fleet.bus.messaging.subscribe(subjects.allLoad, ({ payload }) => {
      const decoded = decode(loadReportContract, payload);
      if (decoded.ok) reports.push(decoded.value);
    });
    const { role } = await fleet.worker('w0', { script: () => slow });
    const job = await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    let drained = false;
    const draining = role.drain({ signal: new AbortController().signal }).then(() => {
      drained = true;
    });
    await fleet.clock.advance(0);
    expect(reports.at(-1)).toMatchObject({ draining: true, running: [job.jobId] });
    expect(drained).toBe(false);
    await fleet.until(() => drained);
    await draining;
    expect(fleet.cluster.delivered).toHaveLength(1);
    expect(await queued()).toBe(0);
  });

  it('lets go of what still streams at its drain deadline, for another worker [B8] [B5]', async () => {
    const { role, provider } = await fleet.worker('w0', { script: () => slow });
    await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const deadline = new AbortController();
    const draining = role.drain({ signal: deadline.signal });
    deadline.abort();
    await draining;
    await role[Symbol.asyncDispose]();
    expect(provider.calls[0]?.ended).toBe(true);
    await fleet.clock.advance(0);
    expect(fleet.cluster.offered).toEqual([]);
    const again = await (await fleet.queue()).take({ max: 1, waitMs: 0 });
    expect(again).toMatchObject([{ deliveryCount: 2 }]);
  });

  it('reports its load at once on a change and every 250 ms [B3]', async () => {
    const reports: LoadReport[] = [];
    await fleet.bus.messaging.subscribe(subjects.allLoad, ({ payload }) => {
      const decoded = decode(loadReportContract, payload);
      if (decoded.ok) reports.push(decoded.value);
    });
    await fleet.worker('w0', { script: () => slow });
    await fleet.clock.advance(1_000);
    expect(reports).toHaveLength(5);
    await fleet.ask();
    await run();
    expect(reports.at(-1)?.running).toHaveLength(1);
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, index) => index));
  });

  it('ignores a cancel that does not decode, and one for another job', async () => {
    await fleet.worker('w0');
    fleet.bus.messaging.publish('cancel.x', Buffer.from('nonsense'));
    cancel(jobId.parse('other'));
    await fleet.ask();
    await run();
    await fleet.until(() => fleet.cluster.delivered.length === 1);
    expect(fleet.cluster.delivered[0]?.outcome.kind).toBe('done');
  });
});
