import { createMemoryBuckets } from '@starling/buckets';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CompletionRequest,
  LimitedProvider,
  type ProviderLimits,
  type StreamPart,
} from '../src/index.ts';
import { answerOf, FakeProvider, type FakeStep } from '../src/testing.ts';

/** Two words and what a template adds: at most 20 LLM tokens. */
const request: CompletionRequest = {
  messages: [{ role: 'user', content: 'Hello there' }],
  maxCompletionTokens: 80,
};
const promptTokens = 20;
const uses = (tokens: number): FakeStep[] => [
  { kind: 'text', text: 'Hi' },
  { kind: 'usage', usage: { promptTokens: 10, completionTokens: tokens - 10, estimated: false } },
  { kind: 'finish', reason: 'stop', model: 'fake-1' },
];

describe('a provider within limits', () => {
  let clock: SimulatedClock;
  let fake: FakeProvider;
  beforeEach(() => {
    clock = new SimulatedClock();
  });

  function open(
    script: readonly FakeStep[] | ((call: number) => readonly FakeStep[]),
    limits: Partial<ProviderLimits> = {},
  ) {
    const steps = typeof script === 'function' ? script : () => script;
    fake = new FakeProvider({ clock, script: (_, call) => steps(call) });
    return new LimitedProvider(fake, {
      ...{ clock, random: seededRandom(1), buckets: createMemoryBuckets({ clock }) },
      ...{ label: 'fake:none', requestsPerMinute: 0, tokensPerMinute: 0, waitMs: 30_000 },
      ...limits,
    });
  }

  function ask(
    provider: LimitedProvider,
    options: { readonly signal?: AbortSignal; readonly request?: CompletionRequest } = {},
  ) {
    const parts: StreamPart[] = [];
    const { signal = new AbortController().signal } = options;
    const ended = (async () => {
      const deadlineAtMs = clock.nowMs() + 600_000;
      const asked = options.request ?? request;
      for await (const part of provider.stream(asked, { signal, deadlineAtMs })) parts.push(part);
      return clock.monotonicMs();
    })();
    return { parts, ended };
  }
  const endOf = async (call: ReturnType<typeof ask>) => {
    await clock.advance(0);
    await call.ended;
    return call.parts.at(-1);
  };

  it('calls as often a minute as it may, and no more [D2]', async () => {
    const provider = open(answerOf('Hi'), { requestsPerMinute: 3, waitMs: 600_000 });
    const calls = Array.from({ length: 7 }, () => ask(provider));
    await clock.advance(1_000);
    expect(fake.calls).toHaveLength(3);
    await clock.advance(58_000);
    expect(fake.calls).toHaveLength(3);
    await clock.advance(3_000);
    expect(fake.calls).toHaveLength(6);
    await clock.advance(61_000);
    await Promise.all(calls.map(({ ended }) => ended));
    expect(fake.calls).toHaveLength(7);
  });

  it('holds all that an answer may have, and gives back what it did not use [D2]', async () => {
    const slow: FakeStep[] = [{ kind: 'wait', ms: 5_000 }, ...uses(30)];
    const provider = open(slow, { tokensPerMinute: 250 });
    for (let n = 0; n < 3; n += 1) ask(provider);
    await clock.advance(1_000);
    // Two of 100 at most; the third would be too much.
    expect(fake.calls).toHaveLength(2);
    await clock.advance(5_000);
    expect(fake.calls).toHaveLength(3);
  });

  it('keeps a hold for as long as the call takes', async () => {
    const slow: FakeStep[] = [{ kind: 'wait', ms: 100_000 }, ...uses(30)];
    const provider = open(slow, { tokensPerMinute: 100, waitMs: 600_000 });
    ask(provider);
    ask(provider);
    await clock.advance(99_000);
    expect(fake.calls).toHaveLength(1);
    await clock.advance(200_000);
    expect(fake.calls).toHaveLength(2);
  });

  it('says that it is busy, and when to come back, to whom it kept waiting [D5]', async () => {
    const provider = open(uses(100), { tokensPerMinute: 100, waitMs: 2_000 });
    await endOf(ask(provider));
    const second = ask(provider);
    await clock.advance(3_000);
    expect(second.parts).toEqual([
      {
        kind: 'error',
        fault: {
          ...{ code: 'too_busy', retryable: false, detail: 'shared_limit' },
          retryAfterMs: expect.any(Number),
        },
      },
    ]);
    const [part] = second.parts;
    const afterMs = part?.kind === 'error' ? (part.fault.retryAfterMs ?? 0) : 0;
    expect(afterMs).toBeGreaterThan(55_000);
    expect(afterMs).toBeLessThanOrEqual(60_250);
    expect(fake.calls).toHaveLength(1);
  });

  it('lets nobody pass who came later, and who leaves makes room for the next', async () => {
    const provider = open(uses(60), { tokensPerMinute: 150, waitMs: 600_000 });
    await endOf(ask(provider));
    const leaving = new AbortController();
    const large = ask(provider, { signal: leaving.signal });
    const small = { ...request, maxCompletionTokens: 10 };
    const later = ask(provider, { request: small });
    await clock.advance(5_000);
    expect(fake.calls).toHaveLength(1);
    leaving.abort();
    await clock.advance(500);
    expect(large.parts).toMatchObject([{ kind: 'error', fault: { code: 'cancelled' } }]);
    expect(later.parts.at(-1)).toMatchObject({ kind: 'finish' });
  });

  it('counts what a call used that was stopped, by what was read of it', async () => {
    const provider = open(
      [
        { kind: 'text', text: 'a b c d e f g h i j ' },
        { kind: 'wait', ms: 60_000 },
      ],
      { tokensPerMinute: 150 },
    );
    const stop = new AbortController();
    ask(provider, { signal: stop.signal });
    await clock.advance(1_000);
    stop.abort();
    await clock.advance(100);
    // 20 of the prompt, 10 that were read, 16 that may be on their way: 104 are left.
    ask(provider, { request: { ...request, maxCompletionTokens: 104 - promptTokens } });
    await clock.advance(100);
    expect(fake.calls).toHaveLength(2);
  });

  it('charges no LLM tokens for a call that was refused, and rests as long as it was told to', async () => {
    const limited: FakeStep[] = [
      {
        kind: 'error',
        fault: {
          ...{ code: 'provider_limited', retryable: true, detail: 'http_429' },
          retryAfterMs: 7_000,
        },
      },
    ];
    const provider = open((call) => (call === 0 ? limited : uses(100)), { tokensPerMinute: 100 });
    await endOf(ask(provider));
    ask(provider);
    await clock.advance(6_900);
    expect(fake.calls).toHaveLength(1);
    await clock.advance(400);
    expect(fake.calls).toHaveLength(2);
  });

  it('keeps an answer as short as a minute allows, and refuses a prompt that is longer', async () => {
    const provider = open(uses(50), { tokensPerMinute: 60 });
    expect(await endOf(ask(provider))).toMatchObject({ kind: 'finish' });
    expect(fake.calls[0]?.request.maxCompletionTokens).toBe(60 - promptTokens);
    const long = { ...request, messages: [{ role: 'user' as const, content: '? '.repeat(60) }] };
    expect(await endOf(ask(provider, { request: long }))).toMatchObject({
      fault: { detail: 'prompt_over_limit' },
    });
  });
});
