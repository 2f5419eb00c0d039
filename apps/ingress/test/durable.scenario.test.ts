/** A durable request on whole processes: the ingress that took it is killed in mid-answer. */
import { createHash } from 'node:crypto';
import { connectNats } from '@starling/bus';
import { systemClock as clock, seededRandom } from '@starling/clock';
import { spawnApp, startNatsServer } from '@starling/harness';
import { openJobStores } from '@starling/jobs';
import { startLlmEmulator } from '@starling/llm-emulator/testing';
import OpenAI from 'openai';
import { expect, it, vi } from 'vitest';

const apiKey = 'a-key-for-tests';
const body = {
  model: 'sim',
  messages: [{ role: 'user' as const, content: 'What is a murmuration?' }],
  stream: true as const,
};
const asked = {
  headers: { 'x-starling-durable': 'true', 'Idempotency-Key': 'the one of the test' },
};

it('after kill -9 of its ingress another one gives the whole answer, of one call [A6] [B5]', async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  const emulator = stack.use(await startLlmEmulator({ clock, random: seededRandom(5) }));
  emulator.setProfile({
    models: [
      {
        name: 'sim',
        firstTokenMs: { median: 5 },
        tokensPerSecond: { median: 25 },
        answerTokens: { median: 60 },
      },
    ],
  });
  const start = async (role: string, name: string, env: Record<string, string> = {}) =>
    stack.use(
      await spawnApp({
        entry: new URL(`../../${role}/src/main.ts`, import.meta.url),
        env: {
          NATS_URL: nats.url,
          STARLING_INSTANCE_ID: name,
          STARLING_LOG_LEVEL: 'error',
          ...env,
        },
      }),
    );
  const ingress = async (name: string) => {
    const app = await start('ingress', name, {
      STARLING_INGRESS_PORT: '0',
      STARLING_API_KEYS: `tests:${createHash('sha256').update(apiKey).digest('hex')}`,
    });
    const baseURL = `http://127.0.0.1:${app.readiness.port}/v1`;
    return { app, client: new OpenAI({ baseURL, apiKey, maxRetries: 0 }) };
  };
  const [one, two] = await Promise.all([
    ingress('ingress-a'),
    ingress('ingress-b'),
    start('balancer', 'balancer-1'),
    start('worker', 'worker-1', { OPENAI_BASE_URL: `${emulator.url}/v1` }),
  ]);

  const cut = (async () => {
    const stream = await one.client.chat.completions.create(body, asked);
    for await (const _ of stream) one.app.signal('SIGKILL');
  })();
  await expect(cut).rejects.toThrow();
  await one.app.exited;

  const again = await two.client.chat.completions.create(body, asked).withResponse();
  expect(again.response.headers.get('x-starling-durable')).toBe('running');
  let text = '';
  let chunks = 0;
  for await (const { choices } of again.data) {
    text += choices[0]?.delta.content ?? '';
    chunks += 1;
  }
  expect(chunks).toBeGreaterThan(10);
  const whole = await two.client.chat.completions.create({ ...body, stream: false }, asked);
  expect(text).toBe(whole.choices[0]?.message.content);
  expect(whole.usage?.completion_tokens).toBe(60);
  expect(emulator.readRecord().requests).toMatchObject([{ ending: 'complete' }]);

  const bus = stack.use(
    await connectNats({ url: nats.url, name: 'test', connectTimeoutMs: 10_000, clock }),
  );
  const { store } = await openJobStores({ bus, clock });
  await vi.waitFor(async () => expect(await store.size()).toBe(0), { timeout: 10_000 });
});
