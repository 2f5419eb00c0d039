/** Ephemeral jobs: an ingress hands them to a balancer, and nothing of them is stored. */
import type { BusMessage } from '@starling/bus';
import {
  attachBody,
  type BalancerHeartbeat,
  balancerHeartbeatContract,
  cancelContract,
  decode,
  detachBody,
  encode,
  ingressId,
  type Job,
  jobContract,
  jobId,
  type Result,
  type Returned,
  resultContract,
  resultReplyContract,
  returnedContract,
  type SubmitReply,
  subjects,
  submitContract,
  submitReplyContract,
} from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const takes = (ms: number): readonly FakeStep[] => [{ kind: 'wait', ms }, ...answerOf('Done')];
const ingress = ingressId.parse('i0');

describe('an ephemeral job', () => {
  let fleet: Fleet;
  let results: Result[];
  let returned: Returned[];
  let frames: string[];
  let jobs: number;

  beforeEach(async () => {
    fleet = await Fleet.start();
    results = [];
    returned = [];
    frames = [];
    jobs = 0;
    const { messaging } = fleet.bus;
    await messaging.subscribe(subjects.result(ingress), (message) => {
      const decoded = decode(resultContract, message.payload);
      if (decoded.ok) results.push(decoded.value);
      message.respond(encode(resultReplyContract, { kind: 'taken' }));
    });
    await messaging.subscribe(subjects.returned(ingress), ({ payload }) => {
      const decoded = decode(returnedContract, payload);
      if (decoded.ok) returned.push(decoded.value);
    });
    await messaging.subscribe(subjects.framesOf(ingress), ({ payload }) => {
      frames.push(new TextDecoder().decode(payload));
    });
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  async function submit(
    changes: Partial<Job> & { readonly caller?: string } = {},
  ): Promise<SubmitReply & { readonly jobId: Job['jobId'] }> {
    jobs += 1;
    const { caller = 'local', ...rest } = changes;
    const nowMs = fleet.clock.nowMs();
    const job = jobContract.schema.parse({
      ...{ jobId: `r${jobs}-1`, lane: 'interactive', maxCompletionTokens: 10 },
      origin: { kind: 'ingress', ingressId: ingress, requestId: `r${jobs}`, caller, stream: true },
      messages: [{ role: 'user', content: 'Hi' }],
      ...{ acceptedAtMs: nowMs, deadlineAtMs: nowMs + 60_000 },
      ...rest,
    });
    if (job.origin.kind !== 'ingress') throw new Error('not of an ingress');
    const { acceptedAtMs, deadlineAtMs, jobId, lane, model, origin } = job;
    const head = encode(submitContract, {
      ...{ jobId, lane, origin, acceptedAtMs, deadlineAtMs, tokenEstimate: 20 },
      ...(model !== undefined && { model }),
    });
    return { ...(await send(attachBody(head, encode(jobContract, job)))), jobId };
  }

  async function send(payload: Uint8Array): Promise<SubmitReply> {
    const subject = 'submit.b0';
    const asked = fleet.bus.messaging.request(subject, payload, { timeoutMs: 1_000 });
    const decoded = decode(submitReplyContract, (await asked).payload);
    if (!decoded.ok) throw new Error('a reply that does not decode');
    return decoded.value.reply;
  }

  it('is run without store and ledger, and its result goes to its ingress [A6]', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    await fleet.clock.advance(300);
    const { jobId, ...reply } = await submit();
    expect(reply).toEqual({ kind: 'accepted', position: 0, expectedWaitMs: 0 });
    await fleet.until(() => results.length === 1);
    expect(results).toMatchObject([
      { jobId, outcome: { kind: 'done', text: 'Hello world' }, servedBy: 'w0', dispatchedBy: 'b0' },
    ]);
    expect(frames).toHaveLength(2);
    expect(await fleet.stores.store.size()).toBe(0);
    expect(await fleet.stores.ledger.read(jobId)).toEqual({ kind: 'none' });
  });

  it('is asked for in one piece when its caller waits for the whole of it [A6]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => takes(500) });
    await fleet.balancer();
    await fleet.clock.advance(300);
    const origin = { kind: 'ingress', ingressId: ingress, caller: 'local' } as const;
    await submit({ origin: { ...origin, requestId: 'a', stream: false } });
    await submit({ origin: { ...origin, requestId: 'b', stream: true } });
    await fleet.until(() => results.length === 2);
    expect(provider.calls.map(({ whole }) => whole)).toEqual([true, false]);
    const firsts = results.map(({ timings }) => timings.firstTokenMs);
    // Of an answer in one piece nothing is learned of how soon a model begins.
    expect(firsts).toEqual([undefined, 500]);
    expect(frames).toHaveLength(1);
  });

  it('is passed on unread, and told to no other balancer [B1]', async () => {
    const told: string[] = [];
    const runs: BusMessage[] = [];
    const { messaging } = fleet.bus;
    await messaging.subscribe('bal.took', ({ subject }) => void told.push(subject));
    await messaging.subscribe('workers.*.run', (message) => void runs.push(message));
    await fleet.worker('w0');
    await fleet.balancer();
    await fleet.clock.advance(300);
    await submit({ messages: [{ role: 'user', content: 'Zwei\nZeilen' }] });
    await fleet.until(() => results.length === 1);
    const { body } = detachBody(runs[0]?.payload ?? new Uint8Array());
    expect(decode(jobContract, body ?? new Uint8Array())).toMatchObject({
      value: { jobId: 'r1-1', messages: [{ content: 'Zwei\nZeilen' }] },
    });
    expect(told).toEqual([]);
  });

  it('leaves nothing behind in the balancer [B3]', async () => {
    const { role } = await fleet.worker('w0');
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    for (let job = 1; job <= 20; job += 1) await submit();
    await fleet.until(() => results.length === 20);
    await fleet.clock.advance(10_000);
    expect(balancer.snapshot()).toMatchObject({ tracked: 0, waiting: 0 });
    expect(role.snapshot().running).toEqual([]);
    expect(returned).toEqual([]);
  });

  it('is told its place, and refused with a time to come back at the bound of its caller [B6]', async () => {
    await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => takes(30_000),
    });
    await fleet.balancer();
    await fleet.clock.advance(300);
    expect(await submit()).toMatchObject({ kind: 'accepted', position: 0 });
    await fleet.clock.advance(10);
    expect(await submit()).toMatchObject({ kind: 'accepted', position: 0 });
    expect(await submit()).toMatchObject({ kind: 'accepted', position: 1 });
    for (let job = 0; job < 998; job += 1) await submit();
    expect(await submit()).toMatchObject({
      kind: 'refused',
      code: 'too_busy',
      retryAfterMs: 1_000,
      place: { position: 1_000 },
    });
    expect(await submit({ caller: 'another' })).toMatchObject({ kind: 'accepted' });
    // A refusal is all that its ingress hears of it.
    await fleet.clock.advance(100);
    expect(results).toEqual([]);
  });

  it('is refused when nobody serves, when it is late, and when it cannot be read [F10]', async () => {
    await fleet.balancer();
    expect(await submit()).toMatchObject({ kind: 'refused', code: 'no_worker' });
    await fleet.worker('w0');
    await fleet.clock.advance(300);
    const deadlineAtMs = fleet.clock.nowMs();
    expect(await submit({ deadlineAtMs })).toMatchObject({ code: 'deadline_exceeded' });
    expect(await send(Buffer.from('nonsense'))).toMatchObject({ code: 'invalid' });
    const head = encode(submitContract, {
      ...{ jobId: jobId.parse('headless'), lane: 'interactive', tokenEstimate: 1 },
      origin: { kind: 'ingress', ingressId: ingress, requestId: 'r', caller: 'c', stream: true },
      ...{ acceptedAtMs: 0, deadlineAtMs: Number.MAX_SAFE_INTEGER },
    });
    expect(await send(head)).toMatchObject({ code: 'invalid' });
    const oversized = attachBody(head, new Uint8Array(jobContract.maxBytes + 1));
    expect(await send(oversized)).toMatchObject({ code: 'invalid' });
  });

  it('fails honestly when its time is up before a slot is free [F10]', async () => {
    await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => takes(30_000),
    });
    await fleet.balancer();
    await fleet.clock.advance(300);
    await submit();
    await fleet.clock.advance(10);
    await submit({ deadlineAtMs: fleet.clock.nowMs() + 5_000 });
    await fleet.until(() => results.length === 1, { withinMs: 5_500 });
    expect(results[0]).toMatchObject({ jobId: 'r2-1', outcome: { code: 'deadline_exceeded' } });
  });

  it('is given back when its worker falls silent, and when the balancer leaves [B4] [B5]', async () => {
    await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => takes(30_000),
    });
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    const first = await submit();
    const second = await submit();
    await fleet.until(() => fleet.telemetry.spans.some(({ name }) => name === 'dispatch'));
    fleet.kill('w0');
    await fleet.until(() => returned.length === 1, { withinMs: 5_000 });
    expect(returned).toMatchObject([{ jobId: first.jobId, balancerId: 'b0', why: 'worker_lost' }]);
    await balancer.drain({ signal: new AbortController().signal });
    await fleet.clock.advance(0);
    expect(returned[1]).toMatchObject({ jobId: second.jobId, why: 'draining' });
    expect(await submit()).toMatchObject({ kind: 'refused', code: 'draining' });
  });

  it('ends with its caller: waiting it is forgotten, running its stream is closed [A10]', async () => {
    const { provider } = await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => takes(30_000),
    });
    const balancer = await fleet.balancer();
    await fleet.clock.advance(300);
    const running = await submit();
    await fleet.until(() => provider.calls.length === 1);
    const waiting = await submit();
    for (const { jobId } of [waiting, running]) {
      const cancel = encode(cancelContract, { jobId, reason: 'caller_gone' });
      fleet.bus.messaging.publish(subjects.cancel(jobId), cancel);
    }
    await fleet.clock.advance(0);
    expect(provider.calls[0]?.abortedAtMs).toBe(fleet.clock.nowMs());
    await fleet.until(() => balancer.snapshot().tracked === 0, { withinMs: 1_000 });
    expect(provider.calls).toHaveLength(1);
    expect(results).toMatchObject([{ jobId: running.jobId, outcome: { code: 'cancelled' } }]);
  });

  it('finds a balancer by its heartbeat, four times a second [B4]', async () => {
    const beats: BalancerHeartbeat[] = [];
    await fleet.bus.messaging.subscribe(subjects.balancerHeartbeat, ({ payload }) => {
      const decoded = decode(balancerHeartbeatContract, payload);
      if (decoded.ok) beats.push(decoded.value);
    });
    const balancer = await fleet.balancer();
    await fleet.clock.advance(1_000);
    expect(beats).toHaveLength(5);
    expect(beats[0]).toEqual({ balancerId: 'b0', epoch: expect.any(Number), draining: false });
    await balancer.drain({ signal: new AbortController().signal });
    await fleet.clock.advance(0);
    expect(beats.at(-1)).toMatchObject({ draining: true });
  });
});
