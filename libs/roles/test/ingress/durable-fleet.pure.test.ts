/** Durable requests with real balancers and workers, on a simulated clock. */
import {
  balancerId,
  cancelContract,
  type ErrorCode,
  encode,
  type IngressOrigin,
  ingressId,
  jobId,
  subjects,
} from '@starling/contracts';
import { failedEnd } from '@starling/jobs';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from '../fleet-fixture.ts';
import { type AskedDurable, DurableBench } from './durable-bench.ts';

const story: readonly FakeStep[] = [
  { kind: 'text', text: 'Once ' },
  { kind: 'wait', ms: 10_000 },
  ...answerOf('upon ', 'a time'),
];
const origin: IngressOrigin = {
  ...{ kind: 'ingress', ingressId: ingressId.parse('ingress-a'), requestId: 'r1' },
  ...{ caller: 'tests', stream: true },
};
const ended = (...asked: readonly AskedDurable[]) =>
  asked.every(({ endings }) => endings.length > 0);

describe('a durable request in the fleet', () => {
  let fleet: Fleet;
  let ingress: DurableBench;

  beforeEach(async () => {
    fleet = await Fleet.start();
    ingress = await DurableBench.start(fleet);
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const stored = () => fleet.stores.store.size();

  it('is answered from the ledger, streaming and not, and leaves nothing in JOBS [B5]', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    const streamed = ingress.ask('one');
    const whole = ingress.ask('two', { body: { stream: false } });
    await fleet.until(() => ended(streamed, whole));
    for (const { found, reply } of [streamed, whole]) {
      expect(found).toBe('new');
      expect(reply).toMatchObject({ whole: 'Hello world', outcome: { text: 'Hello world' } });
    }
    await fleet.clock.advance(0);
    expect(await stored()).toBe(0);
    // Once each, for what the key stands for: short ends come with the last frame.
    expect(ingress.reads).toBe(2);
    const entry = await fleet.stores.ledger.read(jobId.parse(streamed.id));
    expect(entry).toMatchObject({ kind: 'end', end: { result: { outcome: { kind: 'done' } } } });
  });

  it('has an end that is too long for a frame, which is read', async () => {
    const text = 'long '.repeat(10_000);
    await fleet.worker('w0', { script: () => answerOf(text) });
    await fleet.balancer();
    const asked = ingress.ask('one', { body: { stream: false } });
    await fleet.until(() => ended(asked));
    expect(asked.reply.outcome?.text).toBe(text);
    expect(ingress.reads).toBe(2);
  });

  it('has an end that nobody told of, and is found behind hundreds that wait in silence', async () => {
    for (let other = 0; other < 400; other += 1) ingress.ask(`silent ${other}`);
    const asked = ingress.ask('one');
    await fleet.until(() => asked.found === 'new');
    const job = { jobId: jobId.parse(asked.id), origin, acceptedAtMs: 1 };
    const why = { code: 'gave_up', attempt: 0, endedBy: balancerId.parse('b0'), atMs: 2 } as const;
    await fleet.stores.ledger.end(job.jobId, failedEnd(job, why), undefined);
    await fleet.clock.advance(8_000);
    expect(asked.reply.problem).toMatchObject({ code: 'gave_up' });
  });

  it('under the same key gets the answer again, without a call of the provider [A6]', async () => {
    const { provider } = await fleet.worker('w0');
    await fleet.balancer();
    const first = ingress.ask('one');
    await fleet.until(() => ended(first));
    const elsewhere = await DurableBench.start(fleet, 'ingress-b');
    // At once, and when the store no longer knows the message's id.
    for (const ms of [0, 1_000_000]) {
      await fleet.clock.advance(ms);
      const again = elsewhere.ask('one', { body: { stream: false } });
      await fleet.until(() => ended(again));
      expect(again).toMatchObject({
        found: 'ended',
        id: first.id,
        reply: { whole: 'Hello world' },
      });
    }
    expect(provider.calls).toHaveLength(1);
    await fleet.clock.advance(1_000);
    expect(await stored()).toBe(0);
  });

  it('is one job for all who ask with its key while it runs, here and elsewhere', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const elsewhere = await DurableBench.start(fleet, 'ingress-b');
    const first = ingress.ask('one');
    const atOnce = ingress.ask('one');
    await fleet.until(() => first.reply.begun);
    const here = ingress.ask('one');
    const there = elsewhere.ask('one');
    const piece = elsewhere.ask('one', { body: { stream: false } });
    await fleet.clock.advance(100);
    const streams = [first, atOnce, here, there];
    expect(streams.map(({ reply }) => reply.whole)).toEqual(Array(4).fill('Once '));
    await fleet.until(() => ended(...streams, piece));
    expect([...streams, piece].map(({ found }) => found)).toEqual([
      'new',
      ...Array(4).fill('running'),
    ]);
    for (const { reply } of streams) expect(reply.whole).toBe('Once upon a time');
    expect(there.reply.texts.length).toBeGreaterThan(1);
    expect(piece.reply.outcome?.text).toBe('Once upon a time');
    expect(provider.calls).toHaveLength(1);
  });

  it('with another body under the same key is told which field differs', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const elsewhere = await DurableBench.start(fleet, 'ingress-b');
    const first = ingress.ask('one');
    await fleet.until(() => first.reply.begun);
    const others = () => [
      ingress.ask('one', { body: { temperature: 1 } }),
      elsewhere.ask('one', { body: { messages: [{ role: 'user', content: 'Ho' }] } }),
      elsewhere.ask('two', { body: { service_tier: 'flex' } }),
      elsewhere.ask('two'),
    ];
    const running = others();
    await fleet.until(() => ended(...running.slice(0, 2), running[3] as AskedDurable));
    await fleet.until(() => ended(first, ...running));
    const after = others();
    await fleet.until(() => ended(...after));
    for (const asked of [running, after]) {
      expect(asked.map(({ reply }) => reply.problem?.param)).toEqual([
        'temperature',
        'messages',
        undefined,
        'service_tier',
      ]);
    }
    expect(running[0]?.reply.problem).toMatchObject({
      status: 422,
      code: 'idempotency_key_reused',
      retry: false,
    });
    expect(provider.calls).toHaveLength(2);
  });

  it('never reaches the job of another caller', async () => {
    const { provider } = await fleet.worker('w0', {
      script: (_call, question) => answerOf(`To ${question}`),
    });
    await fleet.balancer();
    const of = (caller: string) =>
      ingress.ask('one', { caller, body: { messages: [{ role: 'user', content: caller }] } });
    const asked = [of('alice'), of('bob')];
    await fleet.until(() => ended(...asked));
    expect(asked.map(({ reply }) => reply.whole)).toEqual(['To alice', 'To bob']);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(2);
    expect(provider.calls).toHaveLength(2);
  });

  it('goes on without its caller, who gets it when it comes back', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const first = ingress.ask('one');
    await fleet.until(() => first.reply.begun);
    first.leave('disconnected');
    await fleet.clock.advance(1_000);
    const back = ingress.ask('one');
    await fleet.until(() => back.reply.begun);
    expect(back).toMatchObject({ found: 'running', reply: { whole: 'Once ' } });
    back.leave('disconnected');
    await fleet.clock.advance(20_000);
    const late = ingress.ask('one');
    await fleet.until(() => ended(late));
    expect(late).toMatchObject({ found: 'ended', reply: { whole: 'Once upon a time' } });
    expect(provider.calls).toHaveLength(1);
    expect(provider.calls[0]?.abortedAtMs).toBeUndefined();
  });

  it('whose ingress is dead is answered by another one and leaves JOBS by itself [A6]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const first = ingress.ask('one');
    const forgotten = ingress.ask('two');
    await fleet.until(() => first.reply.begun && forgotten.reply.begun);
    await ingress.kill();
    const elsewhere = await DurableBench.start(fleet, 'ingress-b');
    const again = elsewhere.ask('one');
    await fleet.until(() => ended(again));
    expect(again.reply).toMatchObject({ whole: 'Once upon a time' });
    expect(again.reply.texts.length).toBeGreaterThan(1);
    await fleet.clock.advance(1_000);
    expect(await stored()).toBe(0);
    expect(provider.calls).toHaveLength(2);
    const late = elsewhere.ask('two');
    await fleet.until(() => ended(late));
    expect(late).toMatchObject({ found: 'ended', reply: { whole: 'Once upon a time' } });
  });

  it('whose worker dies is driven anew: who saw a part that holds sees on [B5]', async () => {
    await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const same = ingress.ask('one');
    await fleet.until(() => same.reply.begun);
    fleet.kill('w0');
    const { provider } = await fleet.worker('w1', { script: () => story });
    await fleet.until(() => ended(same));
    expect(same.reply).toMatchObject({ whole: 'Once upon a time', outcome: { kind: 'done' } });
    expect(provider.calls).toHaveLength(1);
  });

  it('whose worker dies and whose answer begins otherwise is cut, and whole when asked for again', async () => {
    await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const first = ingress.ask('one');
    await fleet.until(() => first.reply.begun);
    fleet.kill('w0');
    await fleet.worker('w1', { script: () => answerOf('There ', 'was') });
    await fleet.until(() => ended(first));
    expect(first.reply).toMatchObject({ whole: 'Once ', problem: { code: 'answer_cut' } });
    const again = ingress.ask('one');
    await fleet.until(() => ended(again));
    expect(again.reply.whole).toBe('There was');
  });

  it('is run anew under its key when it failed in a way that may pass, and only then', async () => {
    const failing = (code: ErrorCode): readonly FakeStep[] => [
      { kind: 'error', fault: { code, detail: code, retryable: false } },
    ];
    const scripts = [failing('provider_timeout'), answerOf('Better'), failing('provider_refused')];
    const { provider } = await fleet.worker('w0', { script: (call) => scripts[call] ?? [] });
    await fleet.balancer();
    const first = ingress.ask('one');
    await fleet.until(() => ended(first));
    expect(first.reply.problem).toMatchObject({ code: 'provider_timeout', retry: true });
    const other = ingress.ask('one', { body: { seed: 1 } });
    await fleet.until(() => ended(other));
    expect(other.reply.problem).toMatchObject({ status: 422, param: 'seed' });
    const again = [ingress.ask('one'), ingress.ask('one')];
    await fleet.until(() => ended(...again));
    const kept = ingress.ask('one');
    await fleet.until(() => ended(kept));
    expect([...again, kept].map(({ reply }) => reply.whole)).toEqual(Array(3).fill('Better'));
    expect(kept.found).toBe('ended');
    for (const found of ['new', 'ended']) {
      const refused = ingress.ask('two');
      await fleet.until(() => ended(refused));
      expect(refused).toMatchObject({ found, reply: { problem: { code: 'provider_refused' } } });
    }
    expect(provider.calls).toHaveLength(3);
  });

  it('that an operator cancels, or that nobody could run, ends for all and leaves JOBS', async () => {
    await fleet.balancer();
    const cancelled = ingress.ask('one');
    const late = ingress.ask('two');
    await fleet.until(() => cancelled.found !== undefined);
    const id = jobId.parse(cancelled.id);
    const cancel = encode(cancelContract, { jobId: id, reason: 'operator' });
    fleet.bus.messaging.publish(subjects.cancel(id), cancel);
    await fleet.until(() => ended(cancelled, late));
    expect(cancelled.reply.problem).toMatchObject({ status: 409, code: 'cancelled' });
    expect(late.reply.problem).toMatchObject({ status: 503, code: 'no_worker', retry: true });
    await fleet.clock.advance(0);
    expect(await stored()).toBe(0);
  });

  it('that its worker could not remove is removed by a balancer within 7 s', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    const { store } = fleet.stores;
    // As if the connection had gone away between the end and the removal.
    Object.assign(store, { discard: () => {} });
    const asked = ingress.ask('one');
    await fleet.until(() => ended(asked));
    expect(await stored()).toBe(1);
    await fleet.clock.advance(7_000);
    expect(await stored()).toBe(0);
  });
});
