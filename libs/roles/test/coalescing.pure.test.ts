/** Questions that may share a call, through balancers and workers: who calls, who follows, who is told what. */
import {
  type CallKey,
  cancelContract,
  encode,
  guildId,
  type Job,
  type JobId,
  subjects,
} from '@starling/contracts';
import { callKeyOf } from '@starling/jobs';
import { answerOf, type FakeProvider, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const guild = guildId.parse('300000000000000000');
const keyFor = (content: string): CallKey =>
  callKeyOf(
    { messages: [{ role: 'user', content }], maxCompletionTokens: 100 },
    { kind: 'guild', guildId: guild },
  );
/** Four words in as many seconds. */
const slow: readonly FakeStep[] = answerOf('One ', 'two ', 'three ', 'four').flatMap(
  (step): FakeStep[] => (step.kind === 'text' ? [step, { kind: 'wait', ms: 1_000 }] : [step]),
);
const whole = 'One two three four';

describe('questions that may share a call', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  /** A worker and a balancer that know each other. */
  async function pair(script: readonly FakeStep[] = slow, slots = 8): Promise<FakeProvider> {
    const settings = { STARLING_WORKER_SLOTS: String(slots) };
    const { provider } = await fleet.worker('w0', { script: () => script, settings });
    await fleet.balancer('b0');
    await fleet.clock.advance(4_000);
    return provider;
  }

  const ask = (content = 'Hi', changes: Partial<Job> = {}) =>
    fleet.ask(content, { callKey: keyFor(content), ...changes });

  async function askFive(content = 'Hi'): Promise<readonly Job[]> {
    const jobs: Job[] = [];
    for (let n = 0; n < 5; n += 1) {
      jobs.push(await ask(content));
      await fleet.clock.advance(n * 100);
    }
    return jobs;
  }

  const cancel = ({ jobId }: { readonly jobId: JobId }) =>
    fleet.bus.messaging.publish(
      subjects.cancel(jobId),
      encode(cancelContract, { jobId, reason: 'user' }),
    );

  const answered = (count: number) => fleet.until(() => fleet.cluster.delivered.length >= count);
  const outcomeOf = ({ jobId }: Job) =>
    fleet.cluster.delivered.find((result) => result.jobId === jobId)?.outcome;
  const textOf = ({ jobId }: Job) =>
    fleet.cluster
      .framesOf(jobId)
      .map(({ text }) => text)
      .join('');

  it('cost one call, and each is answered by a stream of its own from the first word on [A8]', async () => {
    const provider = await pair();
    const jobs = await askFive();
    await answered(5);
    expect(provider.calls).toHaveLength(1);
    for (const job of jobs) {
      const { frames, lastFrames } = fleet.cluster;
      expect(textOf(job)).toBe(whole);
      const own = [...frames, ...lastFrames].filter(({ jobId }) => jobId === job.jobId);
      expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, at) => at));
      expect(own.length).toBeGreaterThan(2);
      expect(outcomeOf(job)).toMatchObject({ kind: 'done', text: whole, frames: own.length - 1 });
      // Each job has its own record, and its end stands there.
      expect(await fleet.stores.ledger.read(job.jobId)).toMatchObject({ kind: 'end' });
    }
    expect(await fleet.stores.store.size()).toBe(0);
    // The usage of the one call is in every result, and counts in one.
    const shared = fleet.cluster.delivered.map(
      ({ outcome }) => outcome.kind === 'done' && (outcome.shared ?? false),
    );
    expect(shared.filter((is) => !is)).toHaveLength(1);
  });

  it('take one slot: another question finds the rest free, and health sees one call [A8] [B1]', async () => {
    const provider = await pair(slow, 2);
    const jobs = await askFive();
    const other = await ask('Something else');
    await fleet.clock.advance(100);
    expect(provider.calls).toHaveLength(2);
    await answered(6);
    expect([...jobs, other].map((job) => outcomeOf(job)?.kind)).toEqual(Array(6).fill('done'));
  });

  it('wait for a slot together, and are all served by the first that comes free [A8]', async () => {
    const provider = await pair(slow, 1);
    await ask('Something else');
    const jobs = await askFive();
    expect(provider.calls).toHaveLength(1);
    await answered(6);
    expect(provider.calls).toHaveLength(2);
    expect(jobs.map(textOf)).toEqual(Array(5).fill(whole));
  });

  it('are answered at once within 5 s after it ended, and by a new call later [A8]', async () => {
    const provider = await pair();
    await ask();
    await answered(1);
    await fleet.clock.advance(4_500);
    const late = await ask();
    await fleet.clock.advance(100);
    expect(outcomeOf(late)).toMatchObject({ kind: 'done', text: whole, shared: true });
    expect(textOf(late)).toBe(whole);
    expect(provider.calls).toHaveLength(1);
    await fleet.clock.advance(1_000);
    const later = await ask();
    await answered(3);
    expect(provider.calls).toHaveLength(2);
    expect(outcomeOf(later)).not.toHaveProperty('shared');
  });

  it('go on when the one that called is cancelled; the last one’s cancel ends the call [A8] [A10]', async () => {
    const provider = await pair();
    const [leader, ...others] = await askFive();
    if (leader) cancel(leader);
    await answered(1);
    expect(fleet.cluster.delivered[0]).toMatchObject({
      jobId: leader?.jobId,
      outcome: { kind: 'failed', code: 'cancelled' },
    });
    for (const job of others.slice(0, 3)) cancel(job);
    await fleet.clock.advance(200);
    expect(provider.calls).toMatchObject([{ abortedAtMs: undefined, ended: false }]);
    await answered(5);
    const [last] = others.slice(-1);
    expect(last && outcomeOf(last)).toMatchObject({ kind: 'done', text: whole });
    expect(last && outcomeOf(last)).not.toHaveProperty('shared');

    await fleet.clock.advance(6_000);
    const again = await askFive();
    for (const job of again) cancel(job);
    await answered(10);
    expect(provider.calls).toHaveLength(2);
    expect(provider.calls[1]?.abortedAtMs).toBeDefined();
    // Nothing is left of it: the next question is a call again, and is answered.
    const next = await ask();
    await answered(11);
    expect(outcomeOf(next)).toMatchObject({ kind: 'done', text: whole });
    expect(provider.calls).toHaveLength(3);
  });

  it('are all answered when their worker is killed in the middle, by one call more [A8] [B5]', async () => {
    const first = await pair();
    const jobs = await askFive();
    await fleet.clock.advance(500);
    fleet.kill('w0');
    const { provider: second } = await fleet.worker('w1', { script: () => slow });
    await answered(5);
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
    for (const job of jobs) expect(outcomeOf(job)).toMatchObject({ kind: 'done', text: whole });
    expect(fleet.cluster.delivered.map(({ attempt }) => attempt)).toEqual(Array(5).fill(2));
    // What the zombie brings when it comes back is refused, for each of them.
    fleet.revive('w0');
    await fleet.clock.advance(10_000);
    expect(fleet.cluster.delivered).toHaveLength(5);
  });

  it('fail with the call, and the next one tries again [A8]', async () => {
    const fault = { code: 'answer_cut', retryable: false, detail: 'cut' } as const;
    const provider = await pair([...slow.slice(0, 2), { kind: 'error', fault }]);
    const jobs = await askFive();
    await answered(5);
    for (const job of jobs) {
      expect(outcomeOf(job)).toEqual({ kind: 'failed', code: 'answer_cut', partialText: 'One ' });
    }
    // Each of the attempts was one call for all of them.
    expect(provider.calls).toHaveLength(3);
    await ask();
    await answered(6);
    expect(provider.calls).toHaveLength(6);
  });

  it('meet over several balancers and workers, asked at the same moment [A8] [B4]', async () => {
    const workers = [];
    for (const name of ['w0', 'w1', 'w2']) {
      workers.push(await fleet.worker(name, { script: () => slow }));
    }
    for (const name of ['b0', 'b1', 'b2']) await fleet.balancer(name);
    await fleet.clock.advance(4_000);
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask(`question ${n % 4}`)));
    await answered(20);
    const calls = workers.map(({ provider }) => provider.calls.length);
    expect(calls.reduce((sum, count) => sum + count)).toBe(4);
  });

  it('are not shared without a key, as a regeneration has none, nor under another one [A8]', async () => {
    const provider = await pair();
    const { callKey: _, ...unkeyed } = await ask();
    await fleet.ask('Hi', { maxCompletionTokens: unkeyed.maxCompletionTokens });
    await ask('Hi', { callKey: keyFor('Ho') });
    await answered(3);
    expect(provider.calls).toHaveLength(3);
  });

  it('have an llm span each, linked to that of the one that called, where the usage stands [A8] [A2]', async () => {
    await pair();
    await askFive();
    await answered(5);
    const spans = fleet.telemetry.spans.filter(({ name }) => name === 'llm');
    expect(spans).toHaveLength(5);
    const callers = spans.filter(({ links }) => links.length === 0);
    const [caller] = callers;
    expect(callers).toHaveLength(1);
    const linked = spans.flatMap(({ links }) => links.map(({ context }) => context.spanId));
    expect(linked).toEqual(Array(4).fill(caller?.spanContext().spanId));
    const counted = spans.filter((span) => 'gen_ai.usage.input_tokens' in span.attributes);
    expect(counted).toHaveLength(1);
    expect(spans.filter((span) => span.attributes['starling.llm.shared'])).toHaveLength(4);
  });

  it('save a fifth of the calls where a fourth of the questions is asked twice [A8]', async () => {
    const provider = await pair(slow);
    const asked = 120;
    for (let n = 0; n < asked; n += 1) {
      // Every fourth repeats an earlier one of the last seconds.
      const of = n % 4 === 3 ? n - 1 - fleet.random.integer(3) : n;
      await ask(`question ${of}`);
      await fleet.clock.advance(fleet.random.integer(1_000));
    }
    await answered(asked);
    const saved = 1 - provider.calls.length / asked;
    expect(saved).toBeGreaterThanOrEqual(0.2);
  });
});
