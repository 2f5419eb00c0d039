/** Several processes, one limit in Redis, one emulated provider that judges. */
import type { Environment } from '@starling/config';
import { spawnApp, startRedisServer } from '@starling/harness';
import type { BenchContext } from '../../benchmark.ts';
import type { Row } from '../../report/row.ts';
import { processes, tokensPerMinute } from './call-sizes.ts';
import { limitRows } from './limit-rows.ts';

/** A burst of the whole limit fits into their streams. */
const callersEach = 18;
const minuteMs = 60_000;
/** A run has three windows, of a minute if it is long enough. */
const windows = 3;

/** Streams of half a second: what is held for a call's duration is lost to the limit's use. */
const model = {
  name: 'bench-limited',
  headersMs: { median: 5 },
  firstTokenMs: { median: 50 },
  tokensPerSecond: { median: 2_000 },
  tokensPerChunk: 50,
  answerTokens: { median: 500 },
};

export async function sharedLimit(context: BenchContext, loadMs: number): Promise<readonly Row[]> {
  const { clock, provider, say, signal } = context;
  await using stack = new AsyncDisposableStack();
  const windowMs = Math.min(minuteMs, Math.floor(loadMs / windows));
  const permits = Math.floor((tokensPerMinute * windowMs) / minuteMs);
  say(`${processes} processes at ${permits} LLM tokens in ${windowMs} ms, for ${loadMs} ms`);
  await provider.setModels([model]);
  await provider.resetRecord();
  const redis = await startRedisServer();
  stack.defer(() => redis.stop());
  const callers = await startCallers(stack, {
    BENCH_REDIS_URL: redis.url,
    BENCH_WINDOW_MS: String(windowMs),
    BENCH_CALLERS: String(callersEach),
    OPENAI_BASE_URL: `${provider.origin}/v1`,
    STARLING_MODEL: model.name,
    STARLING_PROVIDER_POOL_MAX: String(callersEach),
  });
  const fromMs = clock.nowMs();
  await clock.sleep(loadMs, { signal });
  const toMs = clock.nowMs();
  await callers[Symbol.asyncDispose]();
  const { forgotten, requests } = await provider.record(20_000);
  if (forgotten > 0) throw new Error(`the provider's record lost ${forgotten} requests`);
  const calls = requests.flatMap(({ completionTokens, endMs, promptTokens, startedAtMs }) => {
    const tokens = promptTokens + completionTokens;
    return endMs === undefined || tokens === 0
      ? []
      : [{ startMs: startedAtMs, endMs: startedAtMs + endMs, tokens }];
  });
  const what = `${processes} processes, windows of ${windowMs} ms, shared in Redis`;
  return limitRows(calls, { id: 'shared', what, permits, windowMs, fromMs, toMs });
}

/** Each a process of its own; disposing ends them all. */
async function startCallers(
  stack: AsyncDisposableStack,
  settings: Environment,
): Promise<AsyncDisposable> {
  const callers = stack.use(new AsyncDisposableStack());
  const entry = new URL('./caller-main.ts', import.meta.url);
  const started = Array.from({ length: processes }, (_, n) =>
    spawnApp({ entry, args: [JSON.stringify({ ...settings, BENCH_CALLER: String(n + 1) })] }),
  );
  for (const app of await Promise.allSettled(started)) {
    if (app.status === 'rejected') throw app.reason;
    callers.use(app.value);
  }
  return callers;
}
