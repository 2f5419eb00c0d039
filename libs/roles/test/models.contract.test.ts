/** A fleet of an API's worker and a local Ollama's, on a real NATS, asked over HTTP and as a bot asks. */
import { type Bus, connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random, seededRandom } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  deliverySection,
  parseConfig,
  providerSection,
  sharingSection,
  workerSection,
} from '@starling/config';
import { balancerId, jobContract, workerId } from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { acceptJob } from '@starling/jobs';
import { modelSourceFrom, providerFrom } from '@starling/llm';
import { type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startBalancer } from '../src/balancer/index.ts';
import type { Jobs } from '../src/delivery/open-jobs.ts';
import { FakeCluster } from '../src/testing.ts';
import { startWorker } from '../src/worker/index.ts';
import { IngressBench } from './ingress/ingress-bench.ts';

const quick = { firstTokenMs: { median: 5 }, tokensPerSecond: { median: 2_000 } };

describe('a fleet of workers with different models', () => {
  let stack: AsyncDisposableStack;
  let nats: RunningServer;
  let cluster: FakeCluster;
  let jobs: Jobs;
  let front: IngressBench;

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    nats = await startNatsServer();
    stack.defer(() => nats.stop());
    cluster = new FakeCluster();
    jobs = await cluster.join(await connect('test'), clock);
    front = stack.use(await IngressBench.start({ bus: await connect('ingress') }));
  });

  afterEach(() => stack.disposeAsync());

  async function connect(name: string): Promise<Bus> {
    const options = { url: nats.url, name, connectTimeoutMs: 10_000, clock };
    return stack.use(await connectNats(options));
  }

  const shared = { ...parseConfig(deliverySection, {}), ...parseConfig(sharingSection, {}) };

  async function emulator(...names: readonly string[]): Promise<LlmEmulator> {
    const server = stack.use(await startLlmEmulator({ clock, random: seededRandom(5) }));
    server.setProfile({ models: names.map((name) => ({ name, ...quick })) });
    return server;
  }

  async function worker(name: string, settings: Record<string, string>): Promise<void> {
    const config = parseConfig(providerSection, settings);
    stack.use(
      await startWorker({
        bus: await connect(name),
        ...{ clock, random, workerId: workerId.parse(name) },
        provider: stack.use(providerFrom(config, { clock, random })),
        modelSource: modelSourceFrom(config),
        config: { ...parseConfig(workerSection, settings), ...shared },
      }),
    );
  }

  async function balancer(name: string): Promise<void> {
    const config = parseConfig({ ...admissionSection, ...balancerSection }, {});
    stack.use(
      await startBalancer({
        bus: await connect(name),
        ...{ clock, random, balancerId: balancerId.parse(name) },
        config: { ...config, ...shared },
      }),
    );
  }

  async function ask(n: number, model: string): Promise<void> {
    const nowMs = clock.nowMs();
    const job = jobContract.schema.parse({
      jobId: `asked-${n}`,
      lane: 'interactive',
      origin: {
        kind: 'discord',
        clusterId: cluster.id,
        channelId: String(100_000_000_000_000_000n + BigInt(n)),
        messageId: '100000000000000002',
        userId: String(200_000_000_000_000_000n + BigInt(n)),
      },
      messages: [{ role: 'user', content: `Question ${n}` }],
      model,
      maxCompletionTokens: 100,
      acceptedAtMs: nowMs,
      deadlineAtMs: nowMs + 60_000,
    });
    const { store } = jobs;
    await acceptJob(job, { store, clock, headers: {}, tokenEstimate: 200, retryForMs: 0 });
  }

  const modelsListed = async () => {
    const { data } = (await (await front.fetch('/v1/models')).json()) as {
      data: { id: string }[];
    };
    return data.map(({ id }) => id);
  };
  const modelsAsked = ({ readRecord }: LlmEmulator) => [
    ...new Set(readRecord().requests.map(({ model }) => model)),
  ];

  it('runs each job where its model is, lists them all and refuses any other [B1]', async () => {
    const [api, local] = [await emulator('small', 'common'), await emulator('large', 'common')];
    await worker('api', { OPENAI_BASE_URL: `${api.url}/v1`, STARLING_MODEL: 'small' });
    await worker('local', { OLLAMA_HOST: local.url, STARLING_MODEL: 'large' });
    for (const name of ['b0', 'b1']) await balancer(name);
    await vi.waitFor(
      async () => expect(await modelsListed()).toEqual(['default', 'common', 'large', 'small']),
      { timeout: 10_000, interval: 20 },
    );
    for (let n = 0; n < 20; n += 1) await ask(n, n % 2 ? 'small' : 'large');
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, n) => front.chat({ model: n % 2 ? 'small' : 'large' })),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    await Promise.all(replies.map((reply) => reply.text()));
    await vi.waitFor(() => expect(cluster.delivered).toHaveLength(20), { timeout: 10_000 });
    for (const { outcome } of cluster.delivered) expect(outcome.kind).toBe('done');
    expect([modelsAsked(api), modelsAsked(local)]).toEqual([['small'], ['large']]);

    const refused = await front.chat({ model: 'gpt-none' });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({
      error: { code: 'model_not_found', type: 'invalid_request_error', param: 'model' },
    });
    expect([api, local].flatMap(modelsAsked)).toEqual(['small', 'large']);
  });

  it('lets any name through while one of its workers may serve any [B1]', async () => {
    const api = await emulator('small', 'unlisted');
    await worker('named', {
      OPENAI_BASE_URL: `${api.url}/v1`,
      STARLING_WORKER_MODELS: 'small',
    });
    await worker('any', { OPENAI_BASE_URL: `${api.url}/v1`, STARLING_WORKER_MODELS: 'any' });
    await balancer('b0');
    await vi.waitFor(async () => expect(await modelsListed()).toEqual(['default', 'small']), {
      timeout: 10_000,
      interval: 20,
    });
    const reply = await front.chat({ model: 'unlisted' });
    expect(await reply.json()).toMatchObject({ object: 'chat.completion', model: 'unlisted' });
  });
});
