/** Balancers and workers on a real NATS, with real provider connections to the emulated providers. */
import { type Bus, connectNats } from '@starling/bus';
import { seededRandom, systemClock, systemRandom } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  deliverySection,
  parseConfig,
  providerSection,
  sharingSection,
  workerSection,
} from '@starling/config';
import {
  balancerId,
  cancelContract,
  encode,
  type Job,
  jobContract,
  jobId,
  subjects,
  workerId,
} from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { acceptJob } from '@starling/jobs';
import { type Provider, providerFrom } from '@starling/llm';
import { type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import { type CapturedTelemetry, captureTelemetry } from '@starling/telemetry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startBalancer } from '../src/balancer/index.ts';
import type { Jobs } from '../src/delivery/open-jobs.ts';
import { FakeCluster } from '../src/testing.ts';
import { startWorker, type Worker } from '../src/worker/index.ts';

const key = 'sk-fleet-contract-0123456789abcdef';
const instant = {
  models: [
    {
      name: 'sim',
      firstTokenMs: { median: 5 },
      tokensPerSecond: { median: 2_000 },
      answerTokens: { median: 20 },
    },
  ],
};
const endless = {
  models: [
    {
      name: 'sim',
      firstTokenMs: { median: 5 },
      tokensPerSecond: { median: 20 },
      answerTokens: { median: 10_000 },
    },
  ],
};

describe('balancers and workers on NATS', () => {
  let nats: RunningServer;
  let emulator: LlmEmulator;
  let stack: AsyncDisposableStack;
  let cluster: FakeCluster;
  let telemetry: CapturedTelemetry;
  let bus: Bus;
  let jobs: Jobs;
  let asked = 0;

  beforeAll(async () => {
    nats = await startNatsServer();
    emulator = await startLlmEmulator({ clock: systemClock, random: seededRandom(5) });
  });

  afterAll(async () => {
    await emulator[Symbol.asyncDispose]();
    await nats.stop();
  });

  beforeEach(async () => {
    emulator.resetRecord();
    emulator.setFaults({});
    emulator.setProfile(instant);
    stack = new AsyncDisposableStack();
    telemetry = stack.use(captureTelemetry());
    bus = await connect('test');
    cluster = new FakeCluster();
    jobs = await cluster.join(bus, systemClock);
  });

  afterEach(() => stack.disposeAsync());

  async function connect(name: string): Promise<Bus> {
    const options = { url: nats.url, name, connectTimeoutMs: 10_000, clock: systemClock };
    return stack.use(await connectNats(options));
  }

  const delivery = { ...parseConfig(deliverySection, {}), ...parseConfig(sharingSection, {}) };

  async function worker(name: string): Promise<{ role: Worker; provider: Provider }> {
    const settings = {
      OPENAI_BASE_URL: `${emulator.url}/v1`,
      OPENAI_API_KEY: key,
      STARLING_MODEL: 'sim',
    };
    const provider = stack.use(
      providerFrom(parseConfig(providerSection, settings), {
        clock: systemClock,
        random: systemRandom,
      }),
    );
    const role = stack.use(
      await startWorker({
        bus: await connect(name),
        clock: systemClock,
        random: systemRandom,
        provider,
        workerId: workerId.parse(name),
        config: { ...parseConfig(workerSection, {}), ...delivery },
      }),
    );
    return { role, provider };
  }

  async function balancer(name: string) {
    return stack.use(
      await startBalancer({
        bus: await connect(name),
        clock: systemClock,
        random: systemRandom,
        balancerId: balancerId.parse(name),
        config: { ...parseConfig({ ...admissionSection, ...balancerSection }, {}), ...delivery },
      }),
    );
  }

  async function ask(changes: Partial<Job> = {}): Promise<Job> {
    asked += 1;
    const nowMs = systemClock.nowMs();
    const job: Job = jobContract.schema.parse({
      jobId: jobId.parse(`contract-${asked}`),
      lane: 'interactive',
      origin: {
        kind: 'discord',
        clusterId: cluster.id,
        channelId: String(100000000000000000n + BigInt(asked)),
        messageId: '100000000000000002',
        userId: String(200000000000000000n + BigInt(asked)),
      },
      messages: [{ role: 'user', content: `Question ${asked}` }],
      maxCompletionTokens: 20_000,
      acceptedAtMs: nowMs,
      deadlineAtMs: nowMs + 60_000,
      ...changes,
    });
    const { store } = jobs;
    const headers = {};
    await acceptJob(job, { store, clock: systemClock, headers, tokenEstimate: 200, retryForMs: 0 });
    return job;
  }

  const until = (check: () => void | Promise<void>) =>
    vi.waitFor(check, { timeout: 20_000, interval: 10 });
  const delivered = (count: number) =>
    until(() => expect(cluster.delivered.length).toBeGreaterThanOrEqual(count));
  const nothingIsStored = () => until(async () => expect(await jobs.store.size()).toBe(0));
  const requests = () => emulator.readRecord().requests;

  it('answers each job once over all workers, on few connections [B1] [B4] [C2] [A9]', async () => {
    const workers = [await worker('w0'), await worker('w1'), await worker('w2')];
    await balancer('b0');
    await balancer('b1');
    const asked: Job[] = [];
    for (let wave = 1; wave <= 20; wave += 1) {
      for (let each = 0; each < 6; each += 1) asked.push(await ask());
      await delivered(wave * 6);
    }
    await nothingIsStored();
    expect(cluster.delivered.map((result) => result.jobId).sort()).toEqual(
      asked.map((job) => job.jobId).sort(),
    );
    for (const { outcome } of cluster.delivered) expect(outcome.kind).toBe('done');
    for (const name of ['w0', 'w1', 'w2']) {
      const share = cluster.delivered.filter(({ servedBy }) => servedBy === name).length;
      expect(share).toBeGreaterThan(15);
    }
    const stats = workers.map(({ provider }) => provider.stats());
    const lent = stats.reduce((sum, one) => sum + one.lent, 0);
    const opened = stats.reduce((sum, one) => sum + one.opened, 0);
    expect(lent).toBe(120);
    expect(1 - opened / lent).toBeGreaterThan(0.8);
    for (const result of cluster.delivered) {
      const frames = cluster.framesOf(result.jobId);
      expect(frames.map(({ sequence }) => sequence)).toEqual(frames.map((_, index) => index));
      if (result.outcome.kind !== 'done') continue;
      expect(frames).toHaveLength(result.outcome.frames);
      expect(frames.map(({ text }) => text).join('')).toBe(result.outcome.text);
    }
  });

  it('closes the provider stream when the job is cancelled [A10]', async () => {
    emulator.setProfile(endless);
    const { role } = await worker('w0');
    await balancer('b0');
    const job = await ask();
    await until(() => expect(cluster.frames.length).toBeGreaterThan(0));
    bus.messaging.publish(
      subjects.cancel(job.jobId),
      encode(cancelContract, { jobId: job.jobId, reason: 'user' }),
    );
    await delivered(1);
    expect(cluster.delivered[0]?.outcome).toMatchObject({ kind: 'failed', code: 'cancelled' });
    await until(() => expect(requests()).toMatchObject([{ ending: 'aborted' }]));
    expect(role.snapshot().running).toEqual([]);
    await nothingIsStored();
  });

  it('ends calmly, with a code, when the provider answers 500 for ever [F10] [C4]', async () => {
    emulator.setFaults({ rules: [{ fault: { kind: 'status', status: 500, message: key } }] });
    await worker('w0');
    await balancer('b0');
    await ask();
    await delivered(1);
    expect(cluster.delivered[0]?.outcome).toEqual({
      kind: 'failed',
      code: 'provider_unavailable',
      partialText: '',
    });
    expect(requests()).toHaveLength(3);
    await nothingIsStored();
    const told = [
      cluster.delivered,
      telemetry.lines,
      telemetry.spans.map(({ attributes, events, status }) => [attributes, events, status]),
    ];
    expect(JSON.stringify(told)).not.toContain(key);
  });

  it('keeps the text that was seen when the stream is cut in its middle [F10]', async () => {
    emulator.setFaults({ rules: [{ fault: { kind: 'truncated', abrupt: true } }] });
    await worker('w0');
    await balancer('b0');
    await ask();
    await delivered(1);
    const { outcome } = cluster.delivered[0] ?? {};
    expect(outcome).toMatchObject({ kind: 'failed', code: 'answer_cut' });
    // Every attempt broke off: what the last one showed stands.
    const last = cluster.frames.filter(({ attempt }) => attempt === 3);
    const seen = last.map(({ text }) => text).join('');
    expect(seen).not.toBe('');
    expect(outcome).toMatchObject({ partialText: seen });
    expect(requests()).toHaveLength(3);
  });

  it('hands the jobs of a worker that is told to stop at once to another [B8] [B5]', async () => {
    emulator.setProfile(endless);
    const leaving = await worker('leaving');
    await balancer('b0');
    await ask();
    await until(() => expect(cluster.frames.length).toBeGreaterThan(0));
    emulator.setProfile(instant);
    await worker('staying');
    const now = new AbortController();
    now.abort();
    await leaving.role.drain({ signal: now.signal });
    await leaving.role[Symbol.asyncDispose]();
    await delivered(1);
    expect(cluster.delivered).toMatchObject([
      { servedBy: 'staying', attempt: 2, outcome: { kind: 'done' } },
    ]);
    await nothingIsStored();
  });
});
