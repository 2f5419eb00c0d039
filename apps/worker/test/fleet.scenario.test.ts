/** The worker and balancer processes on a real NATS: killed, told to stop, misconfigured. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Bus, connectNats } from '@starling/bus';
import { seededRandom, systemClock } from '@starling/clock';
import { breakerStateContract, decode, type Job, jobContract, subjects } from '@starling/contracts';
import {
  type RunningApp,
  type RunningServer,
  spawnApp,
  startNatsServer,
  startRedisServer,
} from '@starling/harness';
import { acceptJob } from '@starling/jobs';
import { type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import { FakeCluster } from '@starling/roles/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const workerEntry = new URL('../src/main.ts', import.meta.url);
const balancerEntry = new URL('../../balancer/src/main.ts', import.meta.url);

/** One model: its answers take `tokens / 50` seconds. */
const answersOf = (tokens: number) => ({
  models: [
    {
      name: 'sim',
      firstTokenMs: { median: 20 },
      tokensPerSecond: { median: 50 },
      answerTokens: { median: tokens },
    },
  ],
});

describe('the worker and balancer processes', () => {
  let nats: RunningServer;
  let emulator: LlmEmulator;
  let stack: AsyncDisposableStack;
  let stores: Awaited<ReturnType<FakeCluster['join']>>;
  let cluster: FakeCluster;
  let bus: Bus;
  let jobs = 0;

  beforeAll(async () => {
    nats = await startNatsServer();
    emulator = await startLlmEmulator({ clock: systemClock, random: seededRandom(9) });
  });

  afterAll(async () => {
    await emulator[Symbol.asyncDispose]();
    await nats.stop();
  });

  beforeEach(async () => {
    emulator.resetRecord();
    stack = new AsyncDisposableStack();
    bus = stack.use(
      await connectNats({
        url: nats.url,
        name: 'test',
        connectTimeoutMs: 10_000,
        clock: systemClock,
      }),
    );
    cluster = new FakeCluster();
    stores = await cluster.join(bus, systemClock);
  });

  afterEach(() => stack.disposeAsync());

  const provider = () => ({ OPENAI_BASE_URL: `${emulator.url}/v1`, STARLING_MODEL: 'sim' });

  async function start(entry: URL, id: string, env: Record<string, string> = {}) {
    return stack.use(
      await spawnApp({
        entry,
        env: { NATS_URL: nats.url, STARLING_INSTANCE_ID: id, ...env },
      }),
    );
  }

  const worker = (id: string): Promise<RunningApp> => start(workerEntry, id, provider());

  async function ask(): Promise<Job> {
    jobs += 1;
    const nowMs = systemClock.nowMs();
    const job = jobContract.schema.parse({
      jobId: `scenario-${jobs}`,
      lane: 'interactive',
      origin: {
        kind: 'discord',
        clusterId: cluster.id,
        channelId: '100000000000000001',
        messageId: '100000000000000002',
        userId: '100000000000000003',
      },
      messages: [{ role: 'user', content: `Question ${jobs}` }],
      maxCompletionTokens: 20_000,
      acceptedAtMs: nowMs,
      deadlineAtMs: nowMs + 60_000,
    });
    const { store } = stores;
    const headers = {};
    await acceptJob(job, { store, clock: systemClock, headers, tokenEstimate: 200, retryForMs: 0 });
    return job;
  }

  const until = (check: () => void | Promise<void>) =>
    vi.waitFor(check, { timeout: 60_000, interval: 20 });
  const delivered = (count: number) =>
    until(() => expect(cluster.delivered.length).toBeGreaterThanOrEqual(count));
  const nothingIsStored = () => until(async () => expect(await stores.store.size()).toBe(0));

  it('loses no job of a worker that is killed in the middle, and answers none twice [B5] [B3]', async () => {
    emulator.setProfile(answersOf(3_000));
    const [victim, balancer] = await Promise.all([worker('victim'), start(balancerEntry, 'b0')]);
    expect(victim.readiness).toMatchObject({ name: 'worker', workerId: 'victim', slots: 8 });
    expect(balancer.readiness).toMatchObject({ name: 'balancer', balancerId: 'b0' });
    const asked = [await ask(), await ask(), await ask()];
    await until(() => {
      expect(new Set(cluster.frames.map(({ jobId }) => jobId)).size).toBe(asked.length);
    });
    emulator.setProfile(answersOf(20));
    await Promise.all([victim.kill(), worker('heir')]);
    await delivered(asked.length);
    await nothingIsStored();
    expect(cluster.delivered.map(({ jobId }) => jobId).sort()).toEqual(
      asked.map(({ jobId }) => jobId).sort(),
    );
    for (const result of cluster.delivered) {
      expect(result).toMatchObject({ servedBy: 'heir', attempt: 2, outcome: { kind: 'done' } });
    }
    expect((await balancer.stop()).code).toBe(0);
  });

  it('asks its provider no more often than all workers together may [D2] [D5]', async () => {
    emulator.setProfile(answersOf(5));
    const redis = await startRedisServer();
    stack.defer(() => redis.stop());
    const limited = {
      ...provider(),
      REDIS_URL: redis.url,
      STARLING_PROVIDER_REQUESTS_PER_MINUTE: '2',
      STARLING_PROVIDER_LIMIT_WAIT_MS: '300',
    };
    await Promise.all([
      start(workerEntry, 'one', limited),
      start(workerEntry, 'other', limited),
      start(balancerEntry, 'b0'),
    ]);
    for (let n = 0; n < 4; n += 1) await ask();
    await delivered(4);
    const outcomes = cluster.delivered.map(({ outcome }) => outcome);
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(2);
    const refused = outcomes.find(({ kind }) => kind === 'failed');
    expect(refused).toMatchObject({ code: 'too_busy', retryAfterMs: expect.any(Number) });
    expect(emulator.readRecord().requests).toHaveLength(2);
  });

  it('goes by its file of providers, and tells the fleet of a rung that is dead [C5] [C6]', async () => {
    const rungs = ['dead', 'alive'];
    const { models } = answersOf(5);
    emulator.setProfile({
      models: rungs.flatMap((name) => models.map((model) => ({ ...model, name }))),
    });
    emulator.setFaults({
      rules: [{ match: { model: 'dead' }, fault: { kind: 'status', status: 500 } }],
    });
    const path = join(mkdtempSync(join(tmpdir(), 'starling-worker-')), 'providers.json');
    stack.defer(() => rmSync(dirname(path), { recursive: true }));
    const place = { dialect: 'openai', baseUrl: `${emulator.url}/v1` };
    const file = {
      providers: rungs.map((name) => ({ name, ...place, keys: [{ env: 'EMULATED_API_KEY' }] })),
      models: [{ name: 'chat', ladder: rungs.map((name) => ({ provider: name, model: name })) }],
    };
    writeFileSync(path, JSON.stringify(file));
    const told: string[] = [];
    await bus.messaging.subscribe(subjects.breakerState, ({ payload }) => {
      const decoded = decode(breakerStateContract, payload);
      if (decoded.ok) told.push(`${decoded.value.workerId} ${decoded.value.state}`);
    });
    const settings = { STARLING_PROVIDERS_FILE: path, EMULATED_API_KEY: 'emulated-key' };
    await Promise.all([start(workerEntry, 'climber', settings), start(balancerEntry, 'b0')]);
    for (let n = 1; n <= 4; n += 1) {
      await ask();
      await delivered(n);
    }
    for (const { outcome } of cluster.delivered) {
      expect(outcome).toMatchObject({ kind: 'done', model: 'alive' });
    }
    const { requests } = emulator.readRecord();
    expect(requests.filter(({ model }) => model === 'dead')).toHaveLength(2);
    expect(told).toEqual(['climber open']);
    emulator.setFaults({});
  });

  it('finishes and delivers what it streams when it is told to stop [B8]', async () => {
    emulator.setProfile(answersOf(100));
    const [leaving] = await Promise.all([worker('leaving'), start(balancerEntry, 'b0')]);
    await ask();
    await until(() => expect(cluster.frames.length).toBeGreaterThan(0));
    const exit = await leaving.stop({ graceMs: 60_000 });
    expect(exit).toEqual({ code: 0, signal: null });
    expect(cluster.delivered).toMatchObject([{ servedBy: 'leaving', outcome: { kind: 'done' } }]);
    await nothingIsStored();
  });

  it('names what is wrong with its settings, and starts nothing', async () => {
    const wrong = start(workerEntry, 'w0', { ...provider(), STARLING_WORKER_SLOTS: 'many' });
    await expect(wrong).rejects.toThrow(/STARLING_WORKER_SLOTS=many: set it to/);
    await expect(start(workerEntry, 'w0')).rejects.toThrow(/OLLAMA_HOST/);
    const nowhere = { NATS_URL: 'nats://127.0.0.1:1', STARLING_CONNECT_TIMEOUT_MS: '300' };
    await expect(start(balancerEntry, 'b0', nowhere)).rejects.toThrow(/127\.0\.0\.1:1/);
  });
});
