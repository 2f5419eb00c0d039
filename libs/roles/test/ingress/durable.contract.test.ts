/** Durable requests over HTTP: the official client, two ingresses, a real NATS, the emulated provider. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random, seededRandom } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  deliverySection,
  ingressSection,
  parseConfig,
  providerSection,
  sharingSection,
  workerSection,
} from '@starling/config';
import { balancerId, ingressId, workerId } from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { providerFrom } from '@starling/llm';
import { type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startBalancer } from '../../src/balancer/index.ts';
import { type Jobs, openJobs } from '../../src/delivery/open-jobs.ts';
import { parseApiKeys, startIngress } from '../../src/ingress/index.ts';
import { startWorker } from '../../src/worker/index.ts';

const callers = ['alice', 'bob'] as const;
const keyOf = (caller: string) => `a-key-of-${caller}`;
const entries = callers
  .map((name) => `${name}:${createHash('sha256').update(keyOf(name)).digest('hex')}`)
  .join(',');
const instant = { firstTokenMs: { median: 5 }, tokensPerSecond: { median: 2_000 } };
const slow = { firstTokenMs: { median: 5 }, tokensPerSecond: { median: 25 } };
const asked = { model: 'sim', messages: [{ role: 'user' as const, content: 'A murmuration' }] };

/** As a user of the official client would make every request durable: each call gets a key of its own. */
class DurableOpenAI extends OpenAI {
  protected override idempotencyHeader = 'Idempotency-Key';
}

describe('durable requests', () => {
  let storeDir: string;
  let nats: RunningServer;
  let emulator: LlmEmulator;
  let stack: AsyncDisposableStack;
  let jobs: Jobs;
  let keys = 0;

  beforeAll(async () => {
    storeDir = await mkdtemp(join(tmpdir(), 'starling-durable-'));
    nats = await startNatsServer({ storeDir });
    emulator = await startLlmEmulator({ clock, random: seededRandom(5) });
  });

  afterAll(async () => {
    await emulator[Symbol.asyncDispose]();
    await nats.stop();
    await rm(storeDir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    answersOf(instant);
    emulator.resetRecord();
    jobs = await openJobs({ bus: await connect('test'), clock });
    const delivery = { ...parseConfig(deliverySection, {}), ...parseConfig(sharingSection, {}) };
    const settings = { OPENAI_BASE_URL: `${emulator.url}/v1`, STARLING_MODEL: 'sim' };
    const provider = stack.use(
      providerFrom(parseConfig(providerSection, settings), { clock, random }),
    );
    stack.use(
      await startWorker({
        ...{ bus: await connect('w0'), clock, random, provider, workerId: workerId.parse('w0') },
        config: { ...parseConfig(workerSection, {}), ...delivery },
      }),
    );
    stack.use(
      await startBalancer({
        ...{ bus: await connect('b0'), clock, random, balancerId: balancerId.parse('b0') },
        config: { ...parseConfig({ ...admissionSection, ...balancerSection }, {}), ...delivery },
      }),
    );
  });

  afterEach(() => stack.disposeAsync());

  function answersOf(pace: typeof instant, tokens = 20): void {
    emulator.setProfile({ models: [{ name: 'sim', answerTokens: { median: tokens }, ...pace }] });
  }

  async function connect(name: string): Promise<Bus> {
    return stack.use(await connectNats({ url: nats.url, name, connectTimeoutMs: 10_000, clock }));
  }

  async function ingress(name: string) {
    const parsed = parseApiKeys(entries);
    if ('problem' in parsed) throw new Error(parsed.problem);
    const bus = await connect(name);
    const role = stack.use(
      await startIngress({
        ...{ bus, clock, random, keys: parsed.keys, ingressId: ingressId.parse(name) },
        config: { ...parseConfig(ingressSection, {}), port: 0 },
      }),
    );
    const baseURL = `http://127.0.0.1:${role.port}/v1`;
    const clientOf = (caller: (typeof callers)[number] = 'alice') =>
      new OpenAI({
        ...{ baseURL, apiKey: keyOf(caller), maxRetries: 0 },
        defaultHeaders: { 'x-starling-durable': 'true' },
      });
    return { role, bus, baseURL, clientOf, client: clientOf() };
  }

  const newKey = () => {
    keys += 1;
    return { headers: { 'Idempotency-Key': `key-${keys}` } };
  };
  const until = (check: () => void | Promise<void>) =>
    vi.waitFor(check, { timeout: 20_000, interval: 10 });
  const requests = () => emulator.readRecord().requests;
  const nothingIsStored = () => until(async () => expect(await jobs.store.size()).toBe(0));
  const textOf = async (stream: AsyncIterable<OpenAI.ChatCompletionChunk>) => {
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    return text;
  };
  const failing = async (promise: PromiseLike<unknown>): Promise<unknown> =>
    await Promise.resolve(promise).catch((error: unknown) => error);

  it('are answered to the official client once, however often and wherever it asks [B5]', async () => {
    const [one, two] = [await ingress('ingress-a'), await ingress('ingress-b')];
    const key = newKey();
    const first = await one.client.chat.completions.create(asked, key).withResponse();
    expect(first.response.headers.get('x-starling-durable')).toBe('new');
    expect(first.data.choices[0]?.message.content).not.toBe('');
    await nothingIsStored();
    for (const { client } of [one, two]) {
      const again = await client.chat.completions.create(asked, key).withResponse();
      expect(again.response.headers.get('x-starling-durable')).toBe('ended');
      expect(again.data).toEqual(first.data);
    }
    const streamed = await two.client.chat.completions.create({ ...asked, stream: true }, key);
    expect(await textOf(streamed)).toBe(first.data.choices[0]?.message.content);
    expect(requests()).toHaveLength(1);
  });

  it('need no change to the official client but a name for its own keys', async () => {
    const { baseURL } = await ingress('ingress-a');
    const client = new DurableOpenAI({
      ...{ baseURL, apiKey: keyOf('alice') },
      defaultHeaders: { 'x-starling-durable': 'true' },
    });
    const own = await client.chat.completions.create(asked).withResponse();
    expect(own.response.headers.get('x-starling-durable')).toBe('new');
    const named = { idempotencyKey: 'a name of mine' };
    await client.chat.completions.create(asked, named);
    const again = await client.chat.completions.create(asked, named).withResponse();
    expect(again.response.headers.get('x-starling-durable')).toBe('ended');
    expect(requests()).toHaveLength(2);
  });

  it('are refused by class and field without a key, and with another body', async () => {
    const { client, clientOf } = await ingress('ingress-a');
    const keyless = await failing(client.chat.completions.create(asked));
    expect(keyless).toBeInstanceOf(OpenAI.BadRequestError);
    expect(keyless).toMatchObject({ param: 'Idempotency-Key', code: 'missing_required_parameter' });
    const key = newKey();
    await client.chat.completions.create(asked, key);
    const messages = [{ role: 'user' as const, content: 'Something else' }];
    const other = await failing(client.chat.completions.create({ ...asked, messages }, key));
    expect(other).toBeInstanceOf(OpenAI.UnprocessableEntityError);
    expect(other).toMatchObject({ param: 'messages', code: 'idempotency_key_reused' });
    // To another caller the key is its own.
    const theirs = clientOf('bob').chat.completions.create({ ...asked, messages }, key);
    const { response } = await theirs.withResponse();
    expect(response.headers.get('x-starling-durable')).toBe('new');
  });

  it('stream to all who ask while they run, and go on without them', async () => {
    answersOf(slow, 40);
    const [one, two] = [await ingress('ingress-a'), await ingress('ingress-b')];
    const key = newKey();
    const body = { ...asked, stream: true as const };
    const left = await one.client.chat.completions.create(body, key);
    for await (const _ of left) break;
    await until(() => expect(one.role.snapshot().inFlight).toBe(0));
    const streams = await Promise.all([
      one.client.chat.completions.create(body, key),
      one.client.chat.completions.create(body, key),
      two.client.chat.completions.create(body, key).withResponse(),
    ]);
    const [here, alsoHere, there] = streams;
    expect(there.response.headers.get('x-starling-durable')).toBe('running');
    const texts = await Promise.all([here, alsoHere, there.data].map(textOf));
    expect(new Set(texts).size).toBe(1);
    const whole = await one.client.chat.completions.create(asked, key);
    expect(texts[0]).toBe(whole.choices[0]?.message.content);
    expect(requests()).toMatchObject([{ ending: 'complete' }]);
    await nothingIsStored();
  });

  it('outlive their ingress, with one call of the provider [A6]', async () => {
    answersOf(slow, 40);
    const one = await ingress('ingress-a');
    const key = newKey();
    const body = { ...asked, stream: true as const };
    const cut = failing(one.client.chat.completions.create(body, key).then(textOf));
    await until(() => expect(requests()).toMatchObject([{ ending: 'open' }]));
    // Its connection is gone before it can say a word, as by kill -9.
    await one.bus[Symbol.asyncDispose]();
    await one.role[Symbol.asyncDispose]();
    expect(await cut).toBeInstanceOf(Error);
    const two = await ingress('ingress-b');
    const text = await textOf(await two.client.chat.completions.create(body, key));
    const whole = await two.client.chat.completions.create(asked, key);
    expect(whole.choices[0]?.message.content).toBe(text);
    expect(requests()).toMatchObject([{ ending: 'complete' }]);
    await nothingIsStored();
  });

  it('outlive kill -9 of NATS while they are answered [B5]', async () => {
    answersOf(slow, 60);
    const { client } = await ingress('ingress-a');
    const key = newKey();
    const waiting = client.chat.completions.create(asked, key);
    await until(() => expect(requests()).toMatchObject([{ ending: 'open' }]));
    await nats.kill();
    await nats.restart();
    const whole = await waiting;
    const again = await client.chat.completions.create(asked, key);
    expect(again).toEqual(whole);
    expect(requests()).toMatchObject([{ ending: 'complete' }]);
    await nothingIsStored();
  });
});
