import { type Random, SimulatedClock } from '@starling/clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CompletionRequest, Retry, StreamPart } from '../src/index.ts';
import { RetryingProvider } from '../src/retrying-provider.ts';
import { answerOf, FakeProvider, type FakeStep } from '../src/testing.ts';

const request: CompletionRequest = {
  messages: [{ role: 'user', content: 'Hello?' }],
  maxCompletionTokens: 100,
};

const fails = (changes: object = {}): FakeStep[] => [
  {
    kind: 'error',
    fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true, ...changes },
  },
];

/** Draws the longest wait there is. */
const highest: Random = { next: () => 1, integer: (bound) => bound - 1 };

describe('RetryingProvider', () => {
  let clock: SimulatedClock;
  let retries: Retry[];
  let fake: FakeProvider;

  beforeEach(() => {
    clock = new SimulatedClock();
    retries = [];
  });

  async function ask(
    script: (call: number) => readonly FakeStep[],
    options: { readonly deadlineMs?: number; readonly signal?: AbortSignal; random?: Random } = {},
  ): Promise<StreamPart[]> {
    fake = new FakeProvider({ clock, script: (_, call) => script(call) });
    const random = options.random ?? highest;
    const provider = new RetryingProvider(fake, { clock, random, maxRetries: 2 });
    const parts: StreamPart[] = [];
    let ended = false;
    const reading = (async () => {
      for await (const part of provider.stream(request, {
        signal: options.signal ?? new AbortController().signal,
        deadlineAtMs: clock.nowMs() + (options.deadlineMs ?? 60_000),
        onRetry: (retry) => retries.push(retry),
      })) {
        parts.push(part);
      }
      ended = true;
    })();
    while (!ended) await clock.advance(100);
    await reading;
    return parts;
  }

  it('hides a failed beginning behind a retry [C4]', async () => {
    const parts = await ask((call) => (call === 0 ? fails() : answerOf('Hi')));
    expect(parts[0]).toEqual({ kind: 'text', text: 'Hi' });
    expect(parts.at(-1)?.kind).toBe('finish');
    expect(retries).toHaveLength(1);
  });

  it('calls three times in all and then says calmly why not [C4] [F10]', async () => {
    const parts = await ask(() => fails());
    expect(fake.calls).toHaveLength(3);
    expect(parts).toEqual([
      {
        kind: 'error',
        fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true },
      },
    ]);
    // Full jitter: the longest waits are 250 ms, then 500 ms.
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([250, 500]);
  });

  it('does not run again what was seen [C4]', async () => {
    const parts = await ask(() => [{ kind: 'text', text: 'Half' }, ...fails()]);
    expect(fake.calls).toHaveLength(1);
    expect(parts.map(({ kind }) => kind)).toEqual(['text', 'error']);
  });

  it('does not retry what cannot succeed [C4]', async () => {
    await ask(() => fails({ code: 'provider_refused', retryable: false }));
    expect(fake.calls).toHaveLength(1);
  });

  it('waits as long as the provider asks [C4]', async () => {
    await ask((call) => (call === 0 ? fails({ retryAfterMs: 3_000 }) : answerOf('Hi')), {
      random: { next: () => 0, integer: () => 0 },
    });
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([3_000]);
    expect(fake.calls).toHaveLength(2);
  });

  it('does not wait past the deadline of the job [C4]', async () => {
    const startedAtMs = clock.monotonicMs();
    const parts = await ask(() => fails({ retryAfterMs: 30_000 }), { deadlineMs: 20_000 });
    expect(fake.calls).toHaveLength(1);
    expect(parts.at(-1)).toMatchObject({ kind: 'error', fault: { retryAfterMs: 30_000 } });
    expect(clock.monotonicMs() - startedAtMs).toBeLessThan(1_000);
  });

  it('stops waiting when the caller does', async () => {
    const abort = new AbortController();
    clock.schedule(1_000, () => abort.abort());
    const parts = await ask(() => fails({ retryAfterMs: 10_000 }), { signal: abort.signal });
    expect(parts).toMatchObject([{ kind: 'error', fault: { code: 'cancelled' } }]);
    expect(clock.pendingTimers).toBe(0);
  });
});
