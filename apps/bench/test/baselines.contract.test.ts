import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHaproxy } from '../src/baselines/haproxy.ts';
import { joinCalls } from '../src/baselines/join-calls.ts';
import { type Provider, startProvider } from '../src/baselines/provider.ts';
import type { Target } from '../src/baselines/target.ts';
import { type LoadGenerator, startLoadGenerator } from '../src/load/load-generator.ts';
import { usageOf, withCpu } from '../src/processes/process-usage.ts';

let provider: Provider;
let generator: LoadGenerator;
beforeAll(async () => {
  [provider, generator] = await Promise.all([startProvider(), startLoadGenerator()]);
});
afterAll(async () => {
  await Promise.all([provider[Symbol.asyncDispose](), generator[Symbol.asyncDispose]()]);
});

const call = ({ url, headers, bearers }: Target, stream: boolean) =>
  generator.run({
    url,
    headers,
    bearers: [...bearers],
    body: { model: 'sim-instant', stream },
    promptPrefix: 'baseline',
    pace: { kind: 'open', arrivals: { kind: 'even', perSecond: 50 } },
    warmUpMs: 0,
    measureMs: 400,
    maxCalls: 1_000,
    maxInFlight: 64,
    drainMs: 5_000,
    maxTraces: 100,
  });

describe('baselines', () => {
  it('answer whole, streamed and not: the provider itself, and HAProxy before it', async () => {
    await using haproxy = await startHaproxy(provider, { backends: 2, slots: 8 });
    for (const target of [provider, haproxy]) {
      for (const stream of [true, false]) {
        const result = await call(target, stream);
        expect(result, `${target.name} ${result.problems}`).toMatchObject({ whole: 20, failed: 0 });
      }
    }
  });

  it('are seen call by call in the provider’s record', async () => {
    await provider.resetRecord();
    const { traces } = await call(provider, false);
    const { requests, forgotten } = await provider.record(100);
    expect(forgotten).toBe(0);
    const joined = joinCalls(traces, requests, 'sim-instant');
    expect(joined).toHaveLength(20);
    for (const { call, requests: seen } of joined) {
      expect(seen).toHaveLength(1);
      const startedMs = (seen[0]?.startedAtMs ?? Number.NaN) - call.dueAtMs;
      expect(startedMs).toBeGreaterThan(-2);
      expect(startedMs).toBeLessThan(call.endMs + 2);
    }
  });
});

describe('usage of processes', () => {
  it('counts the CPU of a process that works, by name', async () => {
    const { cpuSeconds } = await withCpu([{ name: 'us', pid: process.pid }], async () => {
      const { cpuSeconds: before } = await usageOf(process.pid);
      while ((await usageOf(process.pid)).cpuSeconds < before + 0.05);
    });
    // Ticks of 10 ms, as seconds: their differences are not exact.
    expect(cpuSeconds.us).toBeGreaterThan(0.045);
    expect((await usageOf(process.pid)).residentBytes).toBeGreaterThan(10_000_000);
  });
});
