import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@starling/clock';
import { expect, it } from 'vitest';
import { joinCalls } from '../src/baselines/join-calls.ts';
import { startProvider } from '../src/baselines/provider.ts';
import { benchModels, instant } from '../src/benches/models.ts';
import type { BenchContext } from '../src/benchmark.ts';
import { startFleet } from '../src/fleet/fleet.ts';
import { startLoadGenerator } from '../src/load/load-generator.ts';
import { profileReport } from '../src/profiles/profile-report.ts';
import { measure } from '../src/rounds/measure.ts';

it('measures the whole fleet: answers, CPU by role, traces, profiles, and who did what', async () => {
  const cpuProfDir = await mkdtemp(join(tmpdir(), 'starling-profiles-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(cpuProfDir, { recursive: true }));
  const provider = stack.use(await startProvider());
  const generator = stack.use(await startLoadGenerator());
  const size = { balancers: 1, workers: 2, slots: 4 };
  await provider.setModels(benchModels);
  const fleet = stack.use(await startFleet(provider, size, { cpuProfDir }));
  const context: BenchContext = {
    clock: systemClock,
    environment: {},
    cacheDir: '/nowhere',
    generator,
    provider,
    rounds: 1,
    loadMs: 1_000,
    say: () => {},
    signal: new AbortController().signal,
  };
  const load = {
    pace: { kind: 'open', arrivals: { kind: 'even', perSecond: 20 } },
    warmUpMs: 0,
    measureMs: 1_000,
    maxTraces: 100,
  } as const;
  for (const [target, stream] of [
    [fleet.target, false],
    [fleet.target, true],
    [fleet.durable, false],
  ] as const) {
    await provider.resetRecord();
    const body = { model: instant.name, stream };
    const { result, cpuPerThousand } = await measure(context, target, { ...load, body });
    expect(result, result.problems.join()).toMatchObject({ whole: 20, failed: 0, notSent: 0 });
    expect(Object.keys(cpuPerThousand).sort()).toEqual([
      'balancer',
      'generator',
      'ingress',
      'nats',
      'provider',
      'worker',
    ]);
    const { requests } = await provider.record(100);
    for (const { requests: seen } of joinCalls(result.traces, requests, instant.name)) {
      expect(seen).toHaveLength(1);
    }
    const workers = fleet.parts.filter(({ role }) => role === 'worker');
    const labels = new Set(workers.map((worker) => fleet.keyLabelOf(worker)));
    expect(labels.size).toBe(2);
    expect(requests.every(({ keyLabel }) => labels.has(keyLabel))).toBe(true);
  }
  await expect.poll(fleet.storedJobs).toBe(0);
  const [worker] = fleet.parts.filter(({ role }) => role === 'worker');
  const pid = worker?.pid;
  await worker?.replace();
  expect(worker?.pid).not.toBe(pid);
  await expect.poll(fleet.exportedBytes, { timeout: 20_000 }).toBeGreaterThan(0);

  await fleet[Symbol.asyncDispose]();
  const report = await profileReport(cpuProfDir, 1);
  // The worker that was killed could leave none.
  expect(report.filter((line) => line.includes('samples'))).toEqual([
    expect.stringMatching(/^balancer-1\.\d+: [1-9]\d* samples busy/),
    expect.stringMatching(/^ingress-1\.\d+: [1-9]/),
    expect.stringMatching(/^worker-1\.\d+: [1-9]/),
    expect.stringMatching(/^worker-2\.\d+: [1-9]/),
  ]);
});
