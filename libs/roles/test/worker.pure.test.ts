import {
  balancerHeartbeatContract,
  balancerId,
  cancelContract,
  decode,
  encode,
  type Job,
  type JobId,
  jobContract,
  jobId,
  type LoadReport,
  loadReportContract,
  type RunReply,
  type RunRequest,
  resendContract,
  runReplyContract,
  runRequestContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { ledgerBucket, releaseJob } from '@starling/jobs';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const w0 = workerId.parse('w0');
const b0 = balancerId.parse('b0');
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

  /** A request to run a stored job, as a balancer would send it. */
  async function requestFor(
    job: Job,
    difference: { readonly attempt?: number; readonly previousRevision?: number } = {},
  ): Promise<RunRequest> {
    const [stored] = await fleet.stores.store.list(subjects.jobAnyLane(job.jobId));
    if (!stored) throw new Error('the job is not stored');
    const { attempt = 1, previousRevision } = difference;
    const { sequence } = stored;
    return {
      jobId: job.jobId,
      attempt,
      work: { kind: 'stored', sequence, ...(previousRevision && { previousRevision }) },
      dequeuedAtMs: fleet.clock.nowMs(),
      dispatchedBy: b0,
    };
  }

  async function request(payload: RunRequest | Uint8Array, worker = w0): Promise<RunReply['kind']> {
    const bytes = payload instanceof Uint8Array ? payload : encode(runRequestContract, payload);
    const asked = fleet.bus.messaging.request(subjects.run(worker), bytes, { timeoutMs: 1_000 });
    const decoded = decode(runReplyContract, (await asked).payload);
    if (!decoded.ok) throw new Error('a reply that does not decode');
    return decoded.value.kind;
  }

  /** Accepts a job and has the worker run it. */
  async function run(question = 'Hi', changes: Partial<Job> = {}) {
    const job = await fleet.ask(question, changes);
    return { job, reply: await request(await requestFor(job)) };
  }

  const cancel = (id: JobId) =>
    fleet.bus.messaging.publish(
      subjects.cancel(id),
      encode(cancelContract, { jobId: id, reason: 'user' }),
    );

  async function hearReports(): Promise<LoadReport[]> {
    const reports: LoadReport[] = [];
    await fleet.bus.messaging.subscribe(subjects.allLoad, ({ payload }) => {
      const decoded = decode(loadReportContract, payload);
      if (decoded.ok) reports.push(decoded.value);
    });
    return reports;
  }

  const delivered = (count: number) => () => fleet.cluster.delivered.length >= count;

  it('answers with numbered frames, writes the end, and says so in the last frame [A9] [B5]', async () => {
    await fleet.worker('w0', { script: () => answerOf('One ', 'two ', 'three') });
    const { job, reply } = await run();
    expect(reply).toBe('ok');
    await fleet.until(delivered(1));
    const { frames, lastFrames } = fleet.cluster;
    expect(fleet.cluster.delivered).toMatchObject([
      {
        jobId: job.jobId,
        attempt: 1,
        outcome: { kind: 'done', text: 'One two three', frames: frames.length },
        servedBy: 'w0',
        dispatchedBy: 'b0',
        timings: { queueMs: 0, dispatchMs: 0 },
      },
    ]);
    // The first text at once, what followed in one frame.
    expect(frames.map(({ text }) => text)).toEqual(['One ', 'two three']);
    expect([...frames, ...lastFrames].map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    const read = await fleet.stores.ledger.read(job.jobId);
    expect(read).toMatchObject({ kind: 'end', revision: lastFrames[0]?.end?.revision });
    expect(lastFrames[0]?.end).not.toHaveProperty('result');
  });

  it('asks for the body together with the claim, and lets go of it when another one won', async () => {
    await fleet.worker('w0');
    const { store } = fleet.stores;
    const bucket = await fleet.bus.openKeyValue(ledgerBucket);
    const calls: string[] = [];
    const read = store.read.bind(store);
    const create = bucket.create.bind(bucket);
    Object.assign(store, {
      read: (sequence: number) => {
        calls.push('read');
        return read(sequence);
      },
    });
    Object.assign(bucket, {
      create: async (...of: Parameters<typeof create>) => {
        await fleet.clock.sleep(10);
        calls.push('claimed');
        return await create(...of);
      },
    });
    const job = await fleet.ask();
    const asked = await requestFor(job);
    const reply = request(asked);
    await fleet.clock.advance(5);
    expect(calls).toEqual(['read']);
    await fleet.until(delivered(1));
    expect(await reply).toBe('ok');
    expect(calls).toEqual(['read', 'claimed']);
    // It has ended: the claim of a second request is lost.
    const again = request(asked);
    await fleet.clock.advance(100);
    expect(await again).toBe('lost');
    expect(fleet.cluster.delivered).toHaveLength(1);
  });

  it('sends a frame every 40 ms, and sooner when 1 kB has come [A9]', async () => {
    const drip = Array.from({ length: 10 }, (): FakeStep[] => [
      { kind: 'text', text: 'x' },
      { kind: 'wait', ms: 10 },
    ]).flat();
    await fleet.worker('w0', {
      script: () => [...drip, { kind: 'text', text: 'y'.repeat(40_000) }, ...answerOf('.')],
    });
    await run();
    await fleet.until(delivered(1));
    const texts = fleet.cluster.frames.map(({ text }) => text);
    expect(texts.slice(0, 3)).toEqual(['x', 'xxxx', 'xxxx']);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(16 * 1024);
    expect(texts.join('')).toBe(`${'x'.repeat(10)}${'y'.repeat(40_000)}.`);
  });

  it('sends again the frames that a reader missed [A9]', async () => {
    await fleet.worker('w0', {
      script: () => [
        { kind: 'text', text: 'One ' },
        { kind: 'wait', ms: 100 },
        { kind: 'text', text: 'two ' },
        { kind: 'wait', ms: 5_000 },
        ...answerOf('three'),
      ],
    });
    const { job } = await run();
    await fleet.until(() => fleet.cluster.frames.length === 2);
    const ask = (attempt: number, from: number) =>
      fleet.bus.messaging.publish(
        subjects.resend(job.jobId),
        encode(resendContract, { jobId: job.jobId, attempt, from }),
      );
    ask(1, 1);
    ask(2, 0);
    ask(1, 7);
    fleet.bus.messaging.publish(subjects.resend(job.jobId), Buffer.from('nonsense'));
    await fleet.clock.advance(0);
    expect(fleet.cluster.frames.map(({ text }) => text)).toEqual(['One ', 'two ', 'two ']);
    await fleet.until(delivered(1));
  });

  it('says what it does with a request: full, lost, draining, invalid [B1] [B8]', async () => {
    const { role } = await fleet.worker('w0', {
      script: () => slow,
      settings: { STARLING_WORKER_SLOTS: '1' },
    });
    expect((await run('first')).reply).toBe('ok');
    expect((await run('second')).reply).toBe('full');
    expect(await request(Buffer.from('{"v":2}'))).toBe('invalid');
    expect(await request(Buffer.from('not json'))).toBe('invalid');
    const drained = role.drain({ signal: new AbortController().signal });
    expect((await run('too late')).reply).toBe('draining');
    await fleet.until(delivered(1));
    await drained;
  });

  it('runs a job once, however often and by whomever it is asked [B5] [A6]', async () => {
    const first = await fleet.worker('w0', { script: () => slow });
    const second = await fleet.worker('w1', { script: () => slow });
    const { job } = await run();
    expect(await request(await requestFor(job))).toBe('ok');
    expect(await request(await requestFor(job), workerId.parse('w1'))).toBe('lost');
    await fleet.until(delivered(1));
    // It ended: whoever still asks finds the end.
    fleet.cluster.delivers = false;
    await fleet.clock.advance(20_000);
    expect(first.provider.calls).toHaveLength(1);
    expect(second.provider.calls).toHaveLength(0);
    expect(fleet.cluster.delivered).toHaveLength(1);
  });

  it('is fenced when another took its job over: no end, no last frame [A7] [B5]', async () => {
    await fleet.worker('w0', { script: () => slow });
    const heir = await fleet.worker('w1', { script: () => answerOf('By the heir') });
    const { job } = await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const claim = await fleet.stores.ledger.read(job.jobId);
    if (claim.kind !== 'run') throw new Error('it was not claimed');
    const next = await requestFor(job, { attempt: 2, previousRevision: claim.revision });
    expect(await request(next, workerId.parse('w1'))).toBe('ok');
    await fleet.until(delivered(1));
    await fleet.clock.advance(20_000);
    expect(heir.provider.calls).toHaveLength(1);
    expect(fleet.cluster.delivered).toMatchObject([{ servedBy: 'w1', attempt: 2 }]);
    expect(fleet.cluster.lastFrames).toHaveLength(1);
    const metrics = await fleet.telemetry.metrics();
    expect(metrics.find(({ name }) => name === 'starling.jobs.fenced')?.value).toBe(1);
  });

  it('closes the stream at once when it is cancelled, and frees the slot [A10]', async () => {
    const { provider, role } = await fleet.worker('w0', { script: () => slow });
    const { job } = await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const cancelledAtMs = fleet.clock.nowMs();
    cancel(job.jobId);
    await fleet.clock.advance(0);
    expect(provider.calls[0]?.abortedAtMs).toBe(cancelledAtMs);
    await fleet.until(delivered(1));
    expect(role.snapshot().running).toEqual([]);
    expect(fleet.cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'cancelled',
      partialText: 'Once ',
    });
  });

  it('does not run a job whose cancel overtook it [A10]', async () => {
    await fleet.worker('w0', { script: () => slow });
    const job = await fleet.ask();
    cancel(job.jobId);
    await fleet.clock.advance(1);
    await request(await requestFor(job));
    await fleet.until(delivered(1));
    expect(fleet.cluster.delivered[0]?.outcome).toMatchObject({ code: 'cancelled' });
    expect(fleet.cluster.frames).toEqual([]);
  });

  it('ends a job at its deadline with an honest failure [F10]', async () => {
    await fleet.worker('w0', { script: () => slow });
    await run('Hi', { deadlineAtMs: fleet.clock.nowMs() + 5_000 });
    await fleet.until(delivered(1), { withinMs: 5_100 });
    expect(fleet.cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'deadline_exceeded',
      partialText: 'Once ',
    });
  });

  it('writes the end again until the ledger has it, and holds the slot so long [A7]', async () => {
    const { role, provider } = await fleet.worker('w0');
    await run();
    fleet.kill('w0');
    await fleet.clock.advance(5_000);
    expect(provider.calls).toMatchObject([{ ended: true }]);
    expect(role.snapshot().running).toHaveLength(1);
    fleet.revive('w0');
    await fleet.until(delivered(1), { withinMs: 3_000 });
    expect(role.snapshot().running).toEqual([]);
    expect(provider.calls).toHaveLength(1);
  });

  it('lets go of a job whose body is gone, or cannot be read', async () => {
    const { role, provider } = await fleet.worker('w0');
    const { store } = fleet.stores;
    const gone = await fleet.ask();
    const request1 = await requestFor(gone);
    if (request1.work.kind === 'stored') await store.remove(request1.work.sequence);
    expect(await request(request1)).toBe('ok');
    for (const [id, body] of [
      ['shapeless', '{"v":1,"jobId":"shapeless"}'],
      ['newer', '{"v":99}'],
    ] as const) {
      const stored = await store.put(`jobs.dm.${id}`, Buffer.from(body), { id });
      const work = { kind: 'stored', sequence: stored.sequence } as const;
      expect(await request({ ...request1, jobId: jobId.parse(id), work })).toBe('ok');
    }
    await fleet.clock.advance(100);
    expect(role.snapshot().running).toEqual([]);
    expect(provider.calls).toEqual([]);
    expect(fleet.cluster.lastFrames).toEqual([]);
    // What a newer process wrote stays for one; the claim is free for it.
    expect((await store.list()).map(({ subject }) => subject)).toEqual(['jobs.dm.newer']);
    expect(await fleet.stores.ledger.read(jobId.parse('newer'))).toMatchObject({
      kind: 'released',
    });
    expect((await fleet.stores.letters.list()).map(({ subject }) => subject)).toEqual([
      'deadletters.shapeless',
    ]);
  });

  it.each([
    ['has no shape', '{"v":1,"jobId":"odd"}'],
    ['is another job’s', undefined],
  ])(
    'ends a job honestly whose body %s, and keeps it for an operator [F10]',
    async (_what, body) => {
      const { provider, role } = await fleet.worker('w0');
      const { letters, store } = fleet.stores;
      const other = await fleet.ask();
      const [stored] = await store.list();
      const payload = body === undefined ? encode(jobContract, other) : Buffer.from(body);
      const headers = stored?.headers ?? {};
      const { sequence } = await store.put('jobs.dm.odd', payload, { id: 'odd', headers });
      const work = { kind: 'stored', sequence } as const;
      const asked = { ...(await requestFor(other)), jobId: jobId.parse('odd'), work };
      expect(await request(asked)).toBe('ok');
      await fleet.until(delivered(1));
      expect(fleet.cluster.delivered).toMatchObject([
        { jobId: 'odd', origin: other.origin, outcome: { kind: 'failed', code: 'internal' } },
      ]);
      await fleet.clock.advance(0);
      expect((await letters.list()).map(({ subject }) => subject)).toEqual(['deadletters.odd']);
      expect((await store.list()).map(({ sequence: at }) => at)).toEqual([stored?.sequence]);
      expect(provider.calls).toEqual([]);
      expect(role.snapshot().running).toEqual([]);
    },
  );

  it('lets go of a job when another one lies in its place', async () => {
    const { provider } = await fleet.worker('w0');
    const job = await fleet.ask();
    const asked = { ...(await requestFor(job)), jobId: jobId.parse('mine') };
    expect(await request(asked)).toBe('ok');
    await fleet.clock.advance(100);
    expect(provider.calls).toEqual([]);
    expect(await fleet.stores.store.list()).toHaveLength(1);
    expect(await fleet.stores.letters.list()).toEqual([]);
  });

  it('tells of a failure in place of an answer that cannot be encoded, and frees the slot [F10]', async () => {
    const model = 'x'.repeat(600_000);
    const finish = { kind: 'finish', reason: 'stop', model } as const;
    const { role } = await fleet.worker('w0', {
      script: () => [{ kind: 'text', text: 'Hi' }, finish],
    });
    await run();
    await fleet.until(delivered(1), { withinMs: 1_000 });
    expect(fleet.cluster.delivered[0]?.outcome).toMatchObject({ kind: 'failed', code: 'internal' });
    expect(role.snapshot().running).toEqual([]);
  });

  it('lets go at once of a job that an operator takes from it [A7]', async () => {
    const { provider, role } = await fleet.worker('w0', { script: () => slow });
    const { job } = await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const { messaging } = fleet.bus;
    await releaseJob({ ledger: fleet.stores.ledger, messaging }, job.jobId);
    messaging.publish(subjects.released(job.jobId), Buffer.from('nonsense'));
    await fleet.clock.advance(0);
    expect(provider.calls[0]?.abortedAtMs).toBe(fleet.clock.nowMs());
    await fleet.clock.advance(100);
    expect(role.snapshot().running).toEqual([]);
    expect(fleet.cluster.lastFrames).toEqual([]);
    expect(await fleet.stores.ledger.read(job.jobId)).toMatchObject({ kind: 'released' });
  });

  it('drains: finishes what streams, and says so in its reports [B8]', async () => {
    const reports = await hearReports();
    const { role } = await fleet.worker('w0', { script: () => slow });
    const { job } = await run();
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
    await fleet.until(delivered(1));
  });

  it('lets go of what still streams at its drain deadline, for another worker [B8] [B5]', async () => {
    const { role, provider } = await fleet.worker('w0', { script: () => slow });
    const { job } = await run();
    await fleet.until(() => fleet.cluster.frames.length === 1);
    const deadline = new AbortController();
    const draining = role.drain({ signal: deadline.signal });
    deadline.abort();
    await draining;
    await role[Symbol.asyncDispose]();
    expect(provider.calls[0]?.ended).toBe(true);
    expect(fleet.cluster.lastFrames).toEqual([]);
    expect(await fleet.stores.ledger.read(job.jobId)).toMatchObject({ kind: 'released' });
  });

  it('deals its free slots to the balancers that live, in its reports [B3]', async () => {
    const reports = await hearReports();
    await fleet.worker('w0', { settings: { STARLING_WORKER_SLOTS: '4' }, script: () => slow });
    await fleet.clock.advance(5_000);
    expect(reports.at(-1)).toMatchObject({ slots: 4, grants: {} });
    const beat = (id: string, draining = false) =>
      fleet.bus.messaging.publish(
        subjects.balancerHeartbeat,
        encode(balancerHeartbeatContract, { balancerId: balancerId.parse(id), epoch: 1, draining }),
      );
    beat('b0');
    await fleet.clock.advance(0);
    expect(reports.at(-1)?.grants).toEqual({ b0: 4 });
    await run();
    await fleet.clock.advance(30);
    expect(reports.at(-1)).toMatchObject({ running: [expect.anything()], grants: { b0: 3 } });
    // A dealt slot stays with its holder; who came later gets it when the holder leaves.
    beat('b1');
    beat('b0', true);
    await fleet.clock.advance(0);
    expect(reports.at(-1)?.grants).toEqual({ b1: 3 });
    await fleet.clock.advance(1_000);
    expect(reports.at(-1)?.grants).toEqual({});
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, index) => index));
  });

  it('ignores a cancel that does not decode, and one for another job', async () => {
    await fleet.worker('w0');
    fleet.bus.messaging.publish('cancel.x', Buffer.from('nonsense'));
    fleet.bus.messaging.publish(subjects.balancerHeartbeat, Buffer.from('nonsense'));
    cancel(jobId.parse('other'));
    await run();
    await fleet.until(delivered(1));
    expect(fleet.cluster.delivered[0]?.outcome.kind).toBe('done');
  });
});
