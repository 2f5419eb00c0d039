import { cancelContract, encode, jobContract, subjects } from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const takes = (ms: number): readonly FakeStep[] => [{ kind: 'wait', ms }, ...answerOf('Done')];

describe('a balancer', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const queued = async () => (await fleet.queue()).size();
  const ended = (count: number) => () => fleet.cluster.delivered.length >= count;
  const codes = () =>
    fleet.cluster.delivered.map(({ outcome }) =>
      outcome.kind === 'failed' ? outcome.code : 'done',
    );
  const servers = () => fleet.cluster.delivered.map(({ servedBy }) => servedBy);
  const dispatches = () => fleet.telemetry.spans.filter(({ name }) => name === 'dispatch');

  it('spreads sequential jobs over three idle workers [B1]', async () => {
    for (const name of ['w0', 'w1', 'w2']) await fleet.worker(name);
    await fleet.balancer();
    for (let job = 1; job <= 90; job += 1) {
      await fleet.ask();
      await fleet.until(ended(job));
    }
    for (const name of ['w0', 'w1', 'w2']) {
      expect(servers().filter((server) => server === name).length).toBeGreaterThan(15);
    }
    expect(await queued()).toBe(0);
  });

  it('fills the slots of all workers evenly and leaves the rest in the queue [B1] [B7]', async () => {
    const settings = { STARLING_WORKER_SLOTS: '4' };
    const workers = await Promise.all(
      ['w0', 'w1', 'w2'].map((name) =>
        fleet.worker(name, { settings, script: () => takes(8_000) }),
      ),
    );
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    for (let job = 0; job < 6; job += 1) await fleet.ask();
    await fleet.clock.advance(1_000);
    expect(workers.map(({ role }) => role.snapshot().running.length)).toEqual([2, 2, 2]);
    for (let job = 0; job < 14; job += 1) await fleet.ask();
    await fleet.clock.advance(2_000);
    expect(workers.map(({ role }) => role.snapshot().running.length)).toEqual([4, 4, 4]);
    expect(balancer.snapshot().held).toBeLessThanOrEqual(4);
    expect(await queued()).toBe(20);
    await fleet.until(ended(20));
    await fleet.clock.advance(10);
    expect(new Set(fleet.cluster.delivered.map(({ jobId }) => jobId)).size).toBe(20);
    expect(codes().every((code) => code === 'done')).toBe(true);
    expect(await queued()).toBe(0);
    expect(balancer.snapshot()).toMatchObject({ held: 0, waiting: 0 });
    expect(balancer.snapshot().workers.every(({ inFlight }) => inFlight === 0)).toBe(true);
  });

  it('skips a draining worker [B8]', async () => {
    const leaving = await fleet.worker('leaving', { script: () => takes(5_000) });
    await fleet.worker('staying');
    await fleet.balancer();
    await fleet.clock.advance(300);
    void leaving.role.drain({ signal: new AbortController().signal });
    await fleet.clock.advance(10);
    for (let job = 1; job <= 10; job += 1) {
      await fleet.ask();
      await fleet.until(ended(job));
    }
    expect(servers()).toEqual(Array.from({ length: 10 }, () => 'staying'));
    expect(leaving.provider.calls).toHaveLength(0);
  });

  it('goes on to the next worker when a full one refuses, at the cost of one hop [B1]', async () => {
    // Two balancers see the same free slots, so one of them is refused now and then.
    const settings = { STARLING_WORKER_SLOTS: '1' };
    for (const name of ['w0', 'w1', 'w2', 'w3']) {
      await fleet.worker(name, { settings, script: () => takes(500) });
    }
    await fleet.balancer('b0');
    await fleet.balancer('b1');
    await fleet.clock.advance(300);
    for (let job = 0; job < 40; job += 1) await fleet.ask();
    await fleet.until(ended(40));
    await fleet.clock.advance(10);
    const outcomes = dispatches().map(({ attributes }) => attributes['starling.dispatch.reply']);
    expect(outcomes.filter((reply) => reply === 'ok')).toHaveLength(40);
    expect(outcomes).toContain('full');
    expect(codes()).toEqual(Array.from({ length: 40 }, () => 'done'));
    expect(fleet.cluster.delivered.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(await queued()).toBe(0);
  });

  it('explains its choice on the dispatch span, and the wait on the queue span [B10] [A2]', async () => {
    await fleet.worker('w0');
    await fleet.worker('w1');
    await fleet.balancer();
    await fleet.clock.advance(300);
    const trace = '0af7651916cd43dd8448eb211c80319c';
    await fleet.ask('Hi', {}, { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    await fleet.until(ended(1));
    const [dispatch] = dispatches();
    const choice = JSON.parse(String(dispatch?.attributes['starling.dispatch.choice']));
    expect(choice).toMatchObject({
      strategy: 'least_connections',
      counts: { chosen: 1, equal: 1 },
      candidates: [{ verdict: 'chosen', slots: 8, inFlight: 0 }, { verdict: 'equal' }],
    });
    const spans = ['queue', 'dispatch', 'llm'].map((name) =>
      fleet.telemetry.spans.find((span) => span.name === name),
    );
    for (const span of spans) expect(span?.spanContext().traceId).toBe(trace);
    expect(spans[2]?.parentSpanContext?.spanId).toBe(dispatch?.spanContext().spanId);
    expect(spans[2]?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'fake',
      'gen_ai.request.model': 'fake-1',
      'gen_ai.usage.input_tokens': 3,
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.response.finish_reasons': ['stop'],
      'starling.correlation_id': trace.slice(0, 8),
    });
  });

  it('answers the jobs of a worker that died, each once [B5] [B3]', async () => {
    const dying = await fleet.worker('dying', { script: () => takes(60_000) });
    await fleet.balancer();
    await fleet.clock.advance(300);
    for (let job = 0; job < 3; job += 1) {
      await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 120_000 });
    }
    await fleet.until(() => dying.role.snapshot().running.length === 3);
    fleet.kill('dying');
    await fleet.worker('heir');
    await fleet.until(ended(3));
    await fleet.clock.advance(60_000);
    expect(servers()).toEqual(['heir', 'heir', 'heir']);
    expect(fleet.cluster.delivered.map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
    expect(await queued()).toBe(0);
  });

  it('waits for a worker until the deadline, then says honestly that there is none [F10]', async () => {
    await fleet.balancer();
    await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 20_000 });
    await fleet.clock.advance(19_900);
    expect(fleet.cluster.offered).toEqual([]);
    await fleet.until(ended(1), { withinMs: 200 });
    expect(codes()).toEqual(['no_worker']);
    expect(fleet.cluster.delivered[0]).toMatchObject({
      dispatchedBy: 'b0',
      timings: { queueMs: 20_000 },
    });
    await fleet.clock.advance(0);
    expect(await queued()).toBe(0);
  });

  it('hands a waiting job to the first worker that comes up', async () => {
    await fleet.balancer();
    await fleet.ask();
    await fleet.clock.advance(10_000);
    await fleet.worker('w0');
    await fleet.until(ended(1), { withinMs: 500 });
    expect(codes()).toEqual(['done']);
  });

  it('holds a bounded number of jobs while nobody serves', async () => {
    const balancer = await fleet.balancer('b0', { STARLING_BALANCER_HELD: '5' });
    for (let job = 0; job < 20; job += 1) {
      await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 30_000 });
    }
    await fleet.clock.advance(10_000);
    expect(balancer.snapshot().held).toBe(5);
    await fleet.until(ended(20), { withinMs: 40_000 });
    expect(new Set(codes())).toEqual(new Set(['no_worker']));
  });

  it('fails a job that comes late out of the queue, and one that went round too often [F10]', async () => {
    await fleet.worker('w0');
    await fleet.ask('late', { deadlineAtMs: fleet.clock.nowMs() });
    const queue = await fleet.queue();
    await fleet.ask('poison');
    for (let round = 0; round < 10; round += 1) {
      for (const message of await queue.take({ max: 2, waitMs: 0 })) {
        await queue.settle(message.receipt, { kind: 'retry', delayMs: 0 });
      }
      await fleet.clock.advance(1);
    }
    await fleet.balancer();
    await fleet.until(ended(2));
    expect(codes().sort()).toEqual(['deadline_exceeded', 'internal']);
    expect(dispatches()).toEqual([]);
  });

  it('quarantines what can never be read and leaves what is newer for others', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    const queue = await fleet.queue();
    const put = (id: string, payload: string) =>
      queue.enqueue(`jobs.dm.${id}`, Buffer.from(payload), { id });
    await put('garbage', '\u0000\u0001');
    await put('shapeless', '{"v":1,"jobId":"shapeless"}');
    await put('huge', `"${'x'.repeat(300 * 1024)}"`);
    await put('newer', '{"v":99}');
    await fleet.ask();
    await fleet.until(ended(1));
    await fleet.clock.advance(1_000);
    expect(await queued()).toBe(1);
    const metrics = await fleet.telemetry.metrics();
    const faults = metrics
      .filter(
        ({ name, attributes }) =>
          name === 'starling.bus.quarantined' && attributes.contract === 'job',
      )
      .map(({ attributes, value }) => [attributes.fault, value]);
    expect(faults.sort()).toEqual([
      ['invalid', 1],
      ['not_json', 1],
      ['too_large', 1],
    ]);
    await fleet.clock.advance(30_000);
    expect(await queued()).toBe(1);
    expect(fleet.cluster.delivered).toHaveLength(1);
  });

  it('survives malformed load reports and counts them', async () => {
    await fleet.balancer();
    fleet.bus.messaging.publish('load.w0', Buffer.from('{"v":1,"slots":-1}'));
    fleet.bus.messaging.publish('load.w0', Buffer.from('nonsense'));
    await fleet.worker('w0');
    await fleet.ask();
    await fleet.until(ended(1));
    const counted = (await fleet.telemetry.metrics()).filter(
      ({ attributes }) => attributes.contract === 'load report',
    );
    expect(counted.map(({ value }) => value)).toEqual([1, 1]);
  });

  it('assumes nothing after a lost reply: the reports tell whether the job runs [B5]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => takes(5_000) });
    await fleet.balancer();
    await fleet.clock.advance(300);
    fleet.loseReplies('w0', 1);
    await fleet.ask();
    await fleet.until(ended(1));
    await fleet.clock.advance(30_000);
    expect(provider.calls).toHaveLength(1);
    expect(fleet.cluster.delivered).toHaveLength(1);
    expect(await queued()).toBe(0);
  });

  it('gives a job back when a worker swallowed the request, and another round runs it [B5]', async () => {
    await fleet.worker('w0');
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    fleet.swallowRequests('w0', 1);
    await fleet.ask();
    await fleet.until(ended(1), { withinMs: 10_000 });
    expect(fleet.cluster.delivered).toMatchObject([{ attempt: 2, outcome: { kind: 'done' } }]);
    await fleet.clock.advance(1_000);
    expect(balancer.snapshot().workers[0]?.inFlight).toBe(0);
  });

  it('ends a waiting job that the user no longer wants, also when the cancel came first [A10]', async () => {
    await fleet.balancer();
    const waiting = await fleet.ask();
    await fleet.clock.advance(5_000);
    const cancel = (jobId: typeof waiting.jobId) =>
      fleet.bus.messaging.publish(
        subjects.cancel(jobId),
        encode(cancelContract, { jobId, reason: 'message_deleted' }),
      );
    cancel(waiting.jobId);
    await fleet.until(ended(1));
    const next = jobContract.schema.shape.jobId.parse('job-2');
    cancel(next);
    await fleet.clock.advance(1);
    await fleet.ask();
    await fleet.until(ended(2));
    expect(codes()).toEqual(['cancelled', 'cancelled']);
  });

  it('drains: gives back what waits at once, for the other balancers [B4]', async () => {
    const balancer = await fleet.balancer('b0');
    await fleet.ask();
    await fleet.clock.advance(5_000);
    expect(balancer.snapshot().waiting).toBe(1);
    const draining = balancer.drain({ signal: new AbortController().signal });
    await fleet.clock.advance(10);
    await draining;
    expect(balancer.snapshot().held).toBe(0);
    await fleet.worker('w0');
    await fleet.balancer('b1');
    await fleet.until(ended(1), { withinMs: 1_000 });
    expect(fleet.cluster.delivered[0]).toMatchObject({ attempt: 2, dispatchedBy: 'b1' });
  });

  it('ends calmly when the provider fails for ever [F10]', async () => {
    const fault = { code: 'provider_unavailable', detail: 'http_500', retryable: true } as const;
    await fleet.worker('w0', { script: () => [{ kind: 'error', fault }] });
    await fleet.balancer();
    await fleet.ask();
    await fleet.until(ended(1));
    expect(fleet.cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'provider_unavailable',
      partialText: '',
    });
    const llm = fleet.telemetry.spans.find(({ name }) => name === 'llm');
    expect(llm?.attributes).toMatchObject({
      'starling.error.code': 'provider_unavailable',
      'starling.error.detail': 'http_500',
    });
  });
});
