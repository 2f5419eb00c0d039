/**
 * One of several processes that call one provider within one limit: streams, always as many as it may.
 * It begins with its readiness, ends with SIGTERM, and keeps no count: the provider does.
 */
import { createSharedBuckets } from '@starling/buckets';
import { systemClock as clock, seededRandom } from '@starling/clock';
import { type Environment, parseConfig, providerSection } from '@starling/config';
import { createDrainable, runProcess } from '@starling/lifecycle';
import { LimitedProvider, providerFrom } from '@starling/llm';
import { connectRedis } from '@starling/redis';
import { callSize, tokensPerMinute } from './call-sizes.ts';

/** Its one argument: its settings, as JSON. */
const environment: Environment = JSON.parse(process.argv[2] ?? '{}');
const timeouts = { commandTimeoutMs: 200, connectTimeoutMs: 10_000 };

await runProcess({
  name: 'limit-caller',
  clock,
  environment: {},
  drainDeadlineMs: 5_000,
  async build(stack) {
    const { BENCH_CALLER = '1', BENCH_CALLERS = '1', BENCH_REDIS_URL = '' } = environment;
    const windowMs = Number(environment.BENCH_WINDOW_MS);
    const random = seededRandom(Number(BENCH_CALLER));
    const redis = stack.use(await connectRedis({ ...timeouts, url: BENCH_REDIS_URL, clock }));
    const buckets = stack.use(
      await createSharedBuckets({
        ...{ redis, clock, group: 'bench', processId: BENCH_CALLER },
        giveUpMs: timeouts.commandTimeoutMs,
      }),
    );
    const inner = stack.use(
      providerFrom(parseConfig(providerSection, environment), { clock, random }),
    );
    const permits = Math.floor((tokensPerMinute * windowMs) / 60_000);
    const provider = new LimitedProvider(inner, {
      ...{ buckets, clock, random, label: 'bench', windowMs },
      ...{ requestsPerMinute: 0, tokensPerMinute: permits, waitMs: 3_600_000 },
    });
    const stop = new AbortController();
    const call = { signal: stop.signal, deadlineAtMs: Number.MAX_SAFE_INTEGER };
    const callers = Array.from({ length: Number(BENCH_CALLERS) }, async () => {
      while (!stop.signal.aborted) {
        const { answer, most } = callSize(random);
        const messages = [{ role: 'user' as const, content: `Say [[tokens:${answer}]]` }];
        const request = { messages, maxCompletionTokens: most };
        for await (const part of provider.stream(request, call)) {
          if (part.kind === 'error' && !stop.signal.aborted) await clock.sleep(100);
        }
      }
    });
    const part = createDrainable({
      drain: async () => {
        stop.abort();
        await Promise.all(callers);
      },
      release: () => stop.abort(),
    });
    return { parts: [part], ready: {} };
  },
});
