import { BusError } from '@starling/bus';
import {
  type Cancel,
  cancelContract,
  encode,
  type JobId,
  jobContract,
  subjects,
} from '@starling/contracts';
import { listDeadLetters } from '@starling/jobs';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const takes = (ms: number): readonly FakeStep[] => [{ kind: 'wait', ms }, ...answerOf('Done')];

describe('a balancer', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const stored = async () => (await fleet.stores.store.list()).map(({ subject }) => subject);
  const ended = (count: number) => () => fleet.cluster.delivered.length >= count;
  const codes = () =>
    fleet.cluster.delivered.map(({ outcome }) =>
      outcome.kind === 'failed' ? outcome.code : 'done',
    );
  const servers = () => fleet.cluster.delivered.map(({ servedBy }) => servedBy);
  const dispatches = () => fleet.telemetry.spans.filter(({ name }) => name === 'dispatch');
  const replies = () => dispatches().map(({ attributes }) => attributes['starling.dispatch.reply']);
  const cancel = (jobId: JobId, reason: Cancel['reason'] = 'message_deleted') =>
    fleet.bus.messaging.publish(subjects.cancel(jobId), encode(cancelContract, { jobId, reason }));

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
    await fleet.clock.advance(0);
    expect(await stored()).toEqual([]);
  });

  it('fills the slots of all workers evenly and binds nothing else [B1] [B7]', async () => {
    const settings = { STARLING_WORKER_SLOTS: '4' };
    const workers = await Promise.all(
      ['w0', 'w1', 'w2'].map((name) =>
        fleet.worker(name, { settings, script: () => takes(8_000) }),
      ),
    );
    const balancer = await fleet.balancer();
    // Slow start: a worker that just came may run one, two, four.
    await fleet.clock.advance(3_000);
    for (let job = 0; job < 6; job += 1) await fleet.ask();
    await fleet.clock.advance(1_000);
    expect(workers.map(({ role }) => role.snapshot().running.length)).toEqual([2, 2, 2]);
    for (let job = 0; job < 14; job += 1) await fleet.ask();
    await fleet.clock.advance(2_000);
    expect(workers.map(({ role }) => role.snapshot().running.length)).toEqual([4, 4, 4]);
    expect(balancer.snapshot()).toMatchObject({ tracked: 20, waiting: 8 });
    await fleet.until(ended(20));
    await fleet.clock.advance(300);
    expect(new Set(fleet.cluster.delivered.map(({ jobId }) => jobId)).size).toBe(20);
    expect(codes().every((code) => code === 'done')).toBe(true);
    expect(await stored()).toEqual([]);
    expect(balancer.snapshot()).toMatchObject({ tracked: 0, waiting: 0 });
    expect(balancer.snapshot().workers.every(({ inFlight }) => inFlight === 0)).toBe(true);
  });

  it('chooses by the strategy that its setting names [B2]', async () => {
    for (const name of ['w0', 'w1']) await fleet.worker(name);
    await fleet.balancer('b0', { STARLING_BALANCER_STRATEGY: 'round_robin' });
    await fleet.clock.advance(300);
    await fleet.ask();
    await fleet.until(ended(1));
    const [dispatch] = dispatches();
    const choice = JSON.parse(String(dispatch?.attributes['starling.dispatch.choice']));
    expect(choice.strategy).toBe('round_robin');
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

  it('shares the jobs with another balancer, each run once [B1] [B4]', async () => {
    const settings = { STARLING_WORKER_SLOTS: '2' };
    const workers = await Promise.all(
      ['w0', 'w1', 'w2', 'w3'].map((name) =>
        fleet.worker(name, { settings, script: () => takes(500) }),
      ),
    );
    await fleet.balancer('b0');
    await fleet.balancer('b1');
    await fleet.clock.advance(2_000);
    for (let job = 0; job < 60; job += 1) await fleet.ask();
    await fleet.until(ended(60));
    await fleet.clock.advance(10);
    const calls = workers.reduce((sum, { provider }) => sum + provider.calls.length, 0);
    expect(calls).toBe(60);
    const deciders = fleet.cluster.delivered.map(({ dispatchedBy }) => dispatchedBy);
    expect([...new Set(deciders)].sort()).toEqual(['b0', 'b1']);
    expect(fleet.cluster.delivered.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(await stored()).toEqual([]);
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

  it('answers the jobs of a worker that died, each once, some seconds later [B5] [B3]', async () => {
    const dying = await fleet.worker('dying', { script: () => takes(60_000) });
    await fleet.balancer();
    await fleet.clock.advance(3_000);
    for (let job = 0; job < 3; job += 1) {
      await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 120_000 });
    }
    await fleet.until(() => dying.role.snapshot().running.length === 3);
    fleet.kill('dying');
    await fleet.worker('heir');
    await fleet.until(ended(3), { withinMs: 6_000 });
    await fleet.clock.advance(60_000);
    expect(servers()).toEqual(['heir', 'heir', 'heir']);
    expect(fleet.cluster.delivered.map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
    expect(await stored()).toEqual([]);
  });

  it('drives a job anew at once when its worker lets go of it, and it streams from the next [B5] [B8]', async () => {
    const leaving = await fleet.worker('leaving', { script: () => takes(60_000) });
    for (const name of ['b0', 'b1']) await fleet.balancer(name);
    await fleet.clock.advance(300);
    await fleet.ask();
    await fleet.until(() => leaving.role.snapshot().running.length === 1);
    await fleet.worker('heir');
    await fleet.clock.advance(300);
    const patience = new AbortController();
    void leaving.role.drain({ signal: patience.signal });
    await fleet.clock.advance(1_000);
    patience.abort();
    await fleet.until(ended(1), { withinMs: 100 });
    expect(fleet.cluster.delivered).toMatchObject([{ servedBy: 'heir', attempt: 2 }]);
    await fleet.clock.advance(10_000);
    expect(replies().filter((reply) => reply === 'ok')).toHaveLength(2);
  });

  it('fences a worker that was taken for dead: its answer goes nowhere [A7] [B5]', async () => {
    const paused = await fleet.worker('paused', { script: () => takes(10_000) });
    await fleet.balancer();
    await fleet.clock.advance(300);
    await fleet.ask();
    await fleet.until(() => paused.role.snapshot().running.length === 1);
    fleet.kill('paused');
    await fleet.worker('heir');
    await fleet.until(ended(1));
    fleet.revive('paused');
    await fleet.clock.advance(30_000);
    expect(paused.provider.calls).toMatchObject([{ ended: true }]);
    expect(fleet.cluster.delivered).toMatchObject([{ servedBy: 'heir', attempt: 2 }]);
    expect(fleet.cluster.lastFrames).toHaveLength(1);
  });

  it('gives a job up that brought its worker down three times [F10] [A7]', async () => {
    await fleet.balancer();
    await fleet.ask('poison', { deadlineAtMs: fleet.clock.nowMs() + 300_000 });
    for (const name of ['w0', 'w1', 'w2']) {
      const { role } = await fleet.worker(name, { script: () => takes(60_000) });
      await fleet.until(() => role.snapshot().running.length === 1);
      fleet.kill(name);
    }
    await fleet.until(ended(1));
    expect(codes()).toEqual(['gave_up']);
    const letters = await fleet.stores.letters.list();
    expect(letters.map(({ subject }) => subject)).toEqual(['deadletters.job-1']);
    expect(replies()).toEqual(['ok', 'ok', 'ok']);
  });

  it('tells the user of a job that was given up also when it cannot be kept [F10]', async () => {
    await fleet.balancer();
    vi.spyOn(fleet.stores.letters, 'put').mockRejectedValue(new BusError('timeout', 'away'));
    await fleet.ask('poison', { deadlineAtMs: fleet.clock.nowMs() + 300_000 });
    for (const name of ['w0', 'w1', 'w2']) {
      const { role } = await fleet.worker(name, { script: () => takes(60_000) });
      await fleet.until(() => role.snapshot().running.length === 1);
      fleet.kill(name);
    }
    await fleet.until(ended(1));
    expect(codes()).toEqual(['gave_up']);
    expect(await fleet.stores.letters.list()).toEqual([]);
  });

  it('waits for a worker until just before the deadline, then says honestly that there is none [F10]', async () => {
    await fleet.balancer();
    await fleet.ask('Hi', { deadlineAtMs: fleet.clock.nowMs() + 20_000 });
    await fleet.clock.advance(18_900);
    expect(fleet.cluster.wakes).toEqual([]);
    await fleet.until(ended(1), { withinMs: 500 });
    expect(codes()).toEqual(['no_worker']);
    expect(fleet.cluster.delivered[0]).toMatchObject({ dispatchedBy: 'b0' });
    await fleet.clock.advance(0);
    expect(await stored()).toEqual([]);
  });

  it('hands a waiting job to the first worker that comes up', async () => {
    await fleet.balancer();
    await fleet.ask();
    await fleet.clock.advance(10_000);
    await fleet.worker('w0');
    await fleet.until(ended(1), { withinMs: 500 });
    expect(codes()).toEqual(['done']);
  });

  it('fails a job that comes too late, and one beyond the bound of its user [F10]', async () => {
    await fleet.ask('late', { deadlineAtMs: fleet.clock.nowMs() });
    await fleet.balancer();
    await fleet.until(ended(1));
    expect(codes()).toEqual(['no_worker']);
    const origin = { ...(await fleet.ask()).origin };
    for (let job = 0; job < 10; job += 1) await fleet.ask('again', { origin });
    await fleet.until(ended(2), { withinMs: 1_000 });
    expect(codes()).toEqual(['no_worker', 'user_busy']);
    expect(fleet.cluster.delivered[1]?.outcome).toMatchObject({ place: { position: 10 } });
    expect(dispatches()).toEqual([]);
  });

  it('refuses nothing that was stored before it came: somebody had accepted it [B7]', async () => {
    const { origin } = await fleet.ask();
    for (let job = 1; job < 20; job += 1) await fleet.ask('again', { origin });
    const balancer = await fleet.balancer();
    await fleet.clock.advance(1_000);
    expect(fleet.cluster.wakes).toEqual([]);
    expect(balancer.snapshot().waiting).toBe(20);
  });

  it('queues what its settings admit: no question is accepted and then refused [B7]', async () => {
    await fleet.balancer('b0', { STARLING_JOBS_PER_USER: '25' });
    const { origin } = await fleet.ask();
    for (let job = 1; job < 25; job += 1) await fleet.ask('again', { origin });
    await fleet.clock.advance(1_000);
    expect(fleet.cluster.wakes).toEqual([]);
    for (let job = 25; job < 51; job += 1) await fleet.ask('too many', { origin });
    await fleet.until(ended(1), { withinMs: 1_000 });
    expect(codes()).toEqual(['user_busy']);
  });

  it('takes out what can never be read and leaves what is newer for others', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    const { store } = fleet.stores;
    const put = (id: string, headers: Record<string, string>, payload = '{"v":1}') =>
      store.put(`jobs.dm.${id}`, Buffer.from(payload), { id, headers });
    const headers = {
      'starling-version': '1',
      'starling-lane': 'dm',
      'starling-user': '7',
      'starling-owner': 'c0',
      'starling-deadline': String(fleet.clock.nowMs() + 60_000),
      'starling-token-estimate': '10',
    };
    await put('headless', {});
    await put('shapeless', headers);
    await put('newer', { ...headers, 'starling-version': '99' });
    await fleet.ask();
    await fleet.until(ended(1));
    await fleet.clock.advance(1_000);
    expect(await stored()).toEqual(['jobs.dm.newer']);
    await fleet.clock.advance(30_000);
    expect(await stored()).toEqual(['jobs.dm.newer']);
    expect(fleet.cluster.delivered).toHaveLength(1);
    const letters = await fleet.stores.letters.list();
    expect(letters.map(({ subject }) => subject).sort()).toEqual([
      'deadletters.headless',
      'deadletters.shapeless',
    ]);
    const metrics = await fleet.telemetry.metrics();
    const faults = metrics.filter(
      ({ name, attributes }) =>
        name === 'starling.bus.quarantined' && attributes.contract === 'job',
    );
    expect(faults.map(({ attributes, value }) => [attributes.fault, value])).toEqual([
      ['invalid', 2],
    ]);
  });

  it('goes on until what can never be read is out, also when a store was away [F10]', async () => {
    await fleet.balancer();
    const put = vi.spyOn(fleet.stores.letters, 'put');
    put.mockRejectedValueOnce(new BusError('timeout', 'away'));
    await fleet.stores.store.put('jobs.dm.headless', Buffer.from('{}'), { id: 'headless' });
    await fleet.clock.advance(4_000);
    expect(await stored()).toEqual(['jobs.dm.headless']);
    await fleet.clock.advance(2_000);
    expect(await stored()).toEqual([]);
    expect(await fleet.stores.letters.list()).toHaveLength(1);
  });

  it('survives malformed messages of the fleet and counts them', async () => {
    await fleet.balancer();
    const { messaging } = fleet.bus;
    messaging.publish('load.w0', Buffer.from('{"v":1,"slots":-1}'));
    for (const subject of ['load.w0', 'bal.hb', 'bal.took']) {
      messaging.publish(subject, Buffer.from('nonsense'));
    }
    await fleet.worker('w0');
    await fleet.ask();
    await fleet.until(ended(1));
    const counted = (await fleet.telemetry.metrics()).filter(
      ({ name, attributes }) =>
        name === 'starling.bus.quarantined' && attributes.contract !== 'balancer heartbeat',
    );
    expect(counted.map(({ value }) => value)).toEqual([1, 1, 1]);
  });

  it('assumes nothing after a lost reply: the ledger and the reports tell that it runs [B5]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => takes(5_000) });
    await fleet.balancer();
    await fleet.clock.advance(300);
    fleet.loseReplies('w0', 1);
    await fleet.ask();
    await fleet.until(ended(1));
    await fleet.clock.advance(30_000);
    expect(provider.calls).toHaveLength(1);
    expect(fleet.cluster.delivered).toMatchObject([{ attempt: 1 }]);
  });

  it('asks again when a request was lost, and no attempt is spent on it [B5]', async () => {
    await fleet.worker('w0');
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    fleet.swallowRequests('w0', 1);
    await fleet.ask();
    await fleet.until(ended(1), { withinMs: 3_000 });
    expect(fleet.cluster.delivered).toMatchObject([{ attempt: 1, outcome: { kind: 'done' } }]);
    await fleet.clock.advance(1_000);
    expect(balancer.snapshot().workers[0]?.inFlight).toBe(0);
  });

  it('ends a waiting job that the user no longer wants, also when the cancel came first [A10]', async () => {
    await fleet.balancer('b0');
    await fleet.balancer('b1');
    const waiting = await fleet.ask();
    await fleet.clock.advance(5_000);
    cancel(waiting.jobId);
    await fleet.until(ended(1));
    const next = jobContract.schema.shape.jobId.parse('job-2');
    cancel(next);
    await fleet.clock.advance(1);
    await fleet.ask();
    await fleet.until(ended(2));
    await fleet.clock.advance(100);
    expect(codes()).toEqual(['cancelled', 'cancelled']);
  });

  it('wakes the owner of an end that it did not deliver, again and again [A6]', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    fleet.cluster.delivers = false;
    await fleet.ask();
    await fleet.until(() => fleet.cluster.lastFrames.length === 1);
    await fleet.clock.advance(14_000);
    expect(fleet.cluster.wakes).toHaveLength(2);
    fleet.cluster.delivers = true;
    await fleet.until(ended(1), { withinMs: 7_000 });
    await fleet.clock.advance(0);
    expect(await stored()).toEqual([]);
  });

  it('keeps an end that nobody fetched as a dead letter, before the store forgets its job [F10]', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    fleet.cluster.delivers = false;
    const { jobId } = await fleet.ask();
    await fleet.clock.advance(3_290_000);
    expect(await stored()).toHaveLength(1);
    expect(await fleet.stores.letters.list()).toEqual([]);
    await fleet.clock.advance(9_500);
    const before = fleet.cluster.wakes.length;
    await fleet.clock.advance(10_500);
    // Its owner, if it came back now, would bring to its user what an operator is given to replay.
    expect(fleet.cluster.wakes).toHaveLength(before);
    expect(await stored()).toEqual([]);
    expect(await listDeadLetters(fleet.stores.letters)).toMatchObject([
      { name: jobId, reason: { kind: 'undelivered' }, attempts: 1 },
    ]);
    const events = fleet.telemetry.lines.map(({ event }) => event);
    expect(events.filter((event) => event === 'answer.undelivered')).toHaveLength(1);
  });

  it('knows what runs when it starts anew: nothing is run twice [B4]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => takes(8_000) });
    const first = await fleet.balancer('b0');
    await fleet.clock.advance(2_000);
    for (let job = 0; job < 3; job += 1) await fleet.ask();
    await fleet.until(() => provider.calls.length === 3);
    await Promise.all([first[Symbol.asyncDispose](), fleet.clock.advance(10)]);
    await fleet.balancer('b1');
    await fleet.until(ended(3));
    await fleet.clock.advance(30_000);
    expect(provider.calls).toHaveLength(3);
    expect(await stored()).toEqual([]);
  });

  it('drains: says goodbye, and the other balancers have what waits [B4]', async () => {
    const balancer = await fleet.balancer('b0');
    await fleet.ask();
    await fleet.clock.advance(5_000);
    expect(balancer.snapshot().waiting).toBe(1);
    await fleet.balancer('b1');
    await balancer.drain({ signal: new AbortController().signal });
    await fleet.worker('w0');
    await fleet.until(ended(1), { withinMs: 1_000 });
    expect(fleet.cluster.delivered[0]).toMatchObject({ attempt: 1, dispatchedBy: 'b1' });
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
