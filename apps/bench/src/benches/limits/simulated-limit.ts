/** Ten minutes of eight processes at one limit, on a simulated clock and the buckets in memory. */
import { createMemoryBuckets } from '@starling/buckets';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { LimitedProvider } from '@starling/llm';
import { FakeProvider } from '@starling/llm/testing';
import type { Row } from '../../report/row.ts';
import { callSize, processes, tokensPerMinute } from './call-sizes.ts';
import { type CountedCall, limitRows } from './limit-rows.ts';

const minutes = 10;
const windowMs = 60_000;
const callersEach = 16;
const promptTokens = 20;
/** First token, and pace after it. */
const firstTokenMs = 100;
const tokensPerMs = 1.5;

export async function simulatedLimit(): Promise<readonly Row[]> {
  const clock = new SimulatedClock();
  const buckets = createMemoryBuckets({ clock });
  const calls: CountedCall[] = [];
  const fromMs = clock.nowMs();
  const toMs = fromMs + minutes * 60_000;
  const stop = new AbortController();
  const callers: Promise<void>[] = [];
  for (let n = 0; n < processes; n += 1) {
    const random = seededRandom(n + 1);
    const limits = { buckets, label: 'simulated', requestsPerMinute: 0, tokensPerMinute };
    for (let caller = 0; caller < callersEach; caller += 1) {
      callers.push(
        (async () => {
          while (!stop.signal.aborted) {
            const { answer, most } = callSize(random);
            const tookMs = firstTokenMs + answer / tokensPerMs;
            let startMs = 0;
            const usage = { promptTokens, completionTokens: answer, estimated: false };
            const inner = new FakeProvider({
              clock,
              script: () => {
                startMs = clock.nowMs();
                return [
                  { kind: 'wait', ms: tookMs },
                  { kind: 'text', text: 'words' },
                  { kind: 'usage', usage },
                  { kind: 'finish', reason: 'stop', model: 'fake-1' },
                ];
              },
            });
            const limited = new LimitedProvider(inner, {
              ...{ ...limits, clock, random, waitMs: 3_600_000 },
            });
            const messages = [{ role: 'user' as const, content: 'Hi' }];
            const request = { messages, maxCompletionTokens: most };
            const call = { signal: stop.signal, deadlineAtMs: Number.MAX_SAFE_INTEGER };
            for await (const part of limited.stream(request, call)) {
              if (part.kind !== 'finish') continue;
              calls.push({ startMs, endMs: clock.nowMs(), tokens: promptTokens + answer });
            }
          }
        })(),
      );
    }
  }
  while (clock.nowMs() < toMs) await clock.advance(1_000);
  stop.abort();
  await clock.advance(1_000);
  await Promise.all(callers);
  const what = `${processes} processes, ${minutes} simulated minutes, buckets in memory`;
  return limitRows(calls, {
    ...{ id: 'simulated', what, permits: tokensPerMinute, windowMs, fromMs, toMs },
  });
}
