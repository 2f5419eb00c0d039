/** What a trace tells of the rungs that were dialled for an answer. */
import { createMemoryBus } from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { clusterId, jobContract, type Lane } from '@starling/contracts';
import type { Provider } from '@starling/llm';
import { answerOf, FakeProvider } from '@starling/llm/testing';
import { activeContext, telemetryFor } from '@starling/telemetry';
import { type CapturedTelemetry, captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerJob } from '../src/worker/answer-job.ts';
import { FrameSender } from '../src/worker/frame-sender.ts';

describe('the span of an answer', () => {
  const clock = new SimulatedClock();
  let telemetry: CapturedTelemetry;

  beforeEach(() => {
    telemetry = captureTelemetry({ clock });
  });

  afterEach(() => telemetry[Symbol.asyncDispose]());

  async function answer(provider: Provider, lane: Lane = 'interactive') {
    const { messaging } = createMemoryBus({ clock, random: seededRandom(1) });
    const nowMs = clock.nowMs();
    const ids = { channelId: '100000000000000001', messageId: '100000000000000002' };
    const job = jobContract.schema.parse({
      ...{ jobId: 'job-1', lane, maxCompletionTokens: 100 },
      origin: { kind: 'discord', clusterId: 'c0', userId: '100000000000000003', ...ids },
      messages: [{ role: 'user', content: 'Hi' }],
      ...{ acceptedAtMs: nowMs, deadlineAtMs: nowMs + 60_000 },
    });
    const stream = { jobId: job.jobId, attempt: 1, ownerId: clusterId.parse('c0'), headers: {} };
    using frames = new FrameSender({ messaging, clock, coalesceMs: 0 }, stream);
    return await answerJob(
      { clock, provider, telemetry: telemetryFor('worker'), onFirstToken: () => {} },
      {
        ...{ job, attempt: 1, frames, parent: activeContext() },
        signal: new AbortController().signal,
      },
    );
  }

  it('names the rung that answered, and those that did not with why [C6] [C7] [C8] [A1]', async () => {
    const inner = new FakeProvider({ clock, script: () => answerOf('Hi') });
    const provider: Provider = Object.assign(Object.create(inner) as Provider, {
      name: 'near',
      async *stream(request: never, options: Parameters<Provider['stream']>[1]) {
        const at = { as: 'usual', ms: 12 } as const;
        options.onChoice?.({ size: 'complex', rule: 'work', model: 'chat' });
        options.onRungCall?.({
          ...{ ...at, provider: 'near', key: 'NEAR_KEY', model: 'big', ended: 'failed' },
          fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true },
        });
        options.onRungCall?.({
          ...at,
          provider: 'far',
          key: '',
          model: 'small',
          ended: 'answered',
        });
        for await (const part of inner.stream(request, options)) {
          yield part.kind === 'finish' ? { ...part, provider: 'far', costUsd: 0.25 } : part;
        }
      },
    });
    expect(await answer(provider)).toMatchObject({ outcome: { kind: 'done', model: 'fake-1' } });
    const [span] = telemetry.spans;
    expect(span?.attributes).toMatchObject({
      'starling.llm.calls': 2,
      'starling.llm.rung': 'far/small',
      'starling.llm.rung.as': 'usual',
      'starling.llm.cost_usd': 0.25,
      'starling.llm.choice': 'complex: work',
      'gen_ai.request.model': 'chat',
      'gen_ai.provider.name': 'far',
      'gen_ai.response.model': 'fake-1',
    });
    expect(span?.events).toMatchObject([
      {
        name: 'llm.rung_failed',
        attributes: {
          'starling.llm.rung': 'near/big (NEAR_KEY)',
          'starling.error.detail': 'http_500',
          ms: 12,
        },
      },
    ]);
  });

  it('is of a call that may be hedged where somebody writes directly, and says which attempt it is [C6]', async () => {
    const seen: unknown[] = [];
    const inner = new FakeProvider({ clock, script: () => answerOf('Hi') });
    const provider: Provider = Object.assign(Object.create(inner) as Provider, {
      stream(request: never, options: Parameters<Provider['stream']>[1]) {
        seen.push([options.hedge, options.attempt]);
        return inner.stream(request, options);
      },
    });
    await answer(provider, 'dm');
    await answer(provider, 'batch');
    expect(seen).toEqual([
      [true, 1],
      [false, 1],
    ]);
  });
});
