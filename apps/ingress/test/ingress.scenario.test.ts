/** The ingress process on a real NATS: asked by the official client, told to stop, cut off, misconfigured. */
import { createHash } from 'node:crypto';
import { type Bus, connectNats } from '@starling/bus';
import { systemClock as clock } from '@starling/clock';
import {
  type RunningApp,
  type RunningServer,
  spawnApp,
  startNatsServer,
  startRedisServer,
} from '@starling/harness';
import { FakeHome, type FakeHomeOptions, homeAnswer } from '@starling/roles/ingress/testing';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const entry = new URL('../src/main.ts', import.meta.url);
const key = 'a-key-for-tests';
const apiKeys = `tests:${createHash('sha256').update(key).digest('hex')}`;
const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] };

describe('the ingress process', () => {
  let nats: RunningServer;
  let stack: AsyncDisposableStack;
  let bus: Bus;

  beforeAll(async () => {
    nats = await startNatsServer();
  });

  afterAll(() => nats.stop());

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    bus = stack.use(
      await connectNats({ url: nats.url, name: 'test', connectTimeoutMs: 10_000, clock }),
    );
  });

  afterEach(() => stack.disposeAsync());

  const until = (check: () => void | Promise<void>) =>
    vi.waitFor(check, { timeout: 60_000, interval: 10 });

  async function start(env: Record<string, string> = {}) {
    const app = stack.use(
      await spawnApp({
        entry,
        env: {
          NATS_URL: nats.url,
          STARLING_INSTANCE_ID: 'ingress-s',
          STARLING_INGRESS_PORT: '0',
          STARLING_API_KEYS: apiKeys,
          ...env,
        },
      }),
    );
    const url = `http://127.0.0.1:${app.readiness.port}`;
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
    return { app, url, client };
  }

  /** A home that the ingress hears. */
  async function home(url: string, count: number, options: FakeHomeOptions = {}) {
    const started = stack.use(await FakeHome.start({ bus, clock }, options));
    await until(async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      expect(page).toContain(`starling_ingress_balancers ${count}`);
    });
    return started;
  }

  const exitOf = (app: RunningApp) => app.stop({ graceMs: 30_000 });

  it('answers the official client, streaming and not, and cancels what it aborts [A10]', async () => {
    const { app, url, client } = await start();
    expect(app.readiness).toMatchObject({ name: 'ingress', ingressId: 'ingress-s', apiKeys: 1 });
    const one = await home(url, 1, {
      script: ({ job }) =>
        job.messages[0]?.content === 'Hi'
          ? homeAnswer('Hel', 'lo')
          : [{ kind: 'text', text: 'Once' }],
    });
    const whole = await client.chat.completions.create(asked);
    expect(whole.choices[0]?.message.content).toBe('Hello');
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('Hello');
    const endless = { ...asked, messages: [{ role: 'user' as const, content: 'A story' }] };
    for await (const _ of await client.chat.completions.create({ ...endless, stream: true })) break;
    await until(() =>
      expect(one).toMatchObject({ running: 0, cancels: [{ reason: 'caller_gone' }] }),
    );
    expect((await exitOf(app)).code).toBe(0);
  });

  it('takes another balancer when the first is gone, unseen by its caller', async () => {
    const { url, client } = await start();
    const script: FakeHomeOptions['script'] = () => [
      { kind: 'wait', ms: 1_500 },
      ...homeAnswer('Hi'),
    ];
    const homes = [
      await home(url, 1, { id: 'home-a', script }),
      await home(url, 2, { id: 'home-b', script }),
    ];
    const answers = Array.from({ length: 8 }, () => client.chat.completions.create(asked));
    await until(() => {
      expect(homes.reduce((sum, { submissions }) => sum + submissions.length, 0)).toBe(8);
    });
    const [dying, living] = homes;
    expect(dying?.running).toBeGreaterThan(0);
    await dying?.kill();
    for (const { choices } of await Promise.all(answers)) {
      expect(choices[0]?.message.content).toBe('Hi');
    }
    expect(living?.submissions).toHaveLength(8);
  });

  it('finishes its answers when it is told to stop', async () => {
    const { app, url, client } = await start();
    const one = await home(url, 1, {
      script: () => [
        { kind: 'text', text: 'Once' },
        { kind: 'wait', ms: 500 },
        ...homeAnswer(' more'),
      ],
    });
    const answers = [
      client.chat.completions.create(asked),
      client.chat.completions.stream({ ...asked, stream: true }).finalContent(),
    ] as const;
    await until(() => expect(one.running).toBe(2));
    const [exit, whole, streamed] = await Promise.all([exitOf(app), ...answers]);
    expect(exit).toEqual({ code: 0, signal: null });
    expect(whole.choices[0]?.message.content).toBe('Once more');
    expect(streamed).toBe('Once more');
    expect(one.cancels).toEqual([]);
  });

  it('waits through a restart of NATS, before and while it answers', async () => {
    const store = await startNatsServer();
    stack.defer(async () => void (await store.stop()));
    const own = stack.use(
      await connectNats({ url: store.url, name: 'own', connectTimeoutMs: 10_000, clock }),
    );
    const { url, client } = await start({ NATS_URL: store.url });
    // As clients do: on a slow machine the restart may outlast the wait at the front door.
    const patient = client.withOptions({ maxRetries: 20 });
    stack.use(await FakeHome.start({ bus: own, clock }));
    await until(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
    await store.kill();
    await until(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503));
    const during = patient.chat.completions.create(asked);
    const again = await startNatsServer({ port: Number(new URL(store.url).port) });
    stack.defer(async () => void (await again.stop()));
    expect((await during).choices[0]?.message.content).toBe('Hello world');
  });

  it('counts the requests of a key together with every other ingress [D1] [D5]', async () => {
    const redis = await startRedisServer();
    stack.defer(() => redis.stop());
    const settings = { REDIS_URL: redis.url, STARLING_KEY_REQUESTS_PER_MINUTE: '2' };
    const doors = await Promise.all(
      ['one', 'other'].map((id) => start({ ...settings, STARLING_INSTANCE_ID: id })),
    );
    await home(doors[0]?.url ?? '', 1);
    for (const { client } of doors) await client.chat.completions.create(asked);
    for (const { client } of doors) {
      const refused = client.chat.completions.create(asked);
      await expect(refused).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    }
  });

  it('without a key stays on loopback and says so; wrong settings stop its start', async () => {
    const open = await start({ STARLING_API_KEYS: '', STARLING_INGRESS_HOST: '0.0.0.0' });
    expect(open.app.readiness).toMatchObject({ host: '127.0.0.1', apiKeys: 0 });
    expect(open.app.output()).toContain('ingress.no_api_keys');
    const clear = start({ STARLING_API_KEYS: `me:${key}` });
    await expect(clear).rejects.toThrow(/STARLING_API_KEYS=\(hidden\): entry 1 is not name:sha256/);
    await expect(start({ STARLING_API_KEYS_FILE: '/nowhere' })).rejects.toThrow(/ENOENT/);
    await expect(start({ STARLING_INGRESS_IN_FLIGHT: '0' })).rejects.toThrow(/1 to 100000/);
  });
});
