/** The official client, unchanged, judges what is compatible (github.com/openai/openai-node). */
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { homeAnswer } from '../../src/ingress/testing.ts';
import { IngressBench, testKey, until } from './ingress-bench.ts';

const messages = [{ role: 'user' as const, content: 'Hi' }];
const asked = { model: 'm', messages };

const clientOf = (bench: IngressBench, apiKey = testKey) =>
  new OpenAI({ baseURL: `${bench.url}/v1`, apiKey, maxRetries: 0 });

describe('the openai client', () => {
  it('gets an answer in one piece, with its usage', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home();
    const { data, response, request_id } = await clientOf(bench)
      .chat.completions.create({ ...asked, temperature: 0, max_tokens: 7 })
      .withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'm',
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello world' } },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
    expect(data.id).toMatch(/^chatcmpl-/);
    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}$/);
    expect(data.id).toBe(`chatcmpl-${request_id}`);
    expect(home.submissions[0]?.submit.job).toMatchObject({
      lane: 'interactive',
      origin: { kind: 'ingress', ingressId: 'ingress-t', caller: 'tests', stream: false },
      model: 'm',
      messages,
      maxCompletionTokens: 7,
      sampling: { temperature: 0 },
    });
  });

  it('gets a stream, and its usage where it asks for it', async () => {
    await using bench = await IngressBench.start();
    await bench.home({ script: () => homeAnswer('Hel', 'lo "', '🐦"\n') });
    const stream = await clientOf(bench).chat.completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'Hello "🐦"\n',
    );
    expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant' });
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 6 } });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('puts a stream together by its own helper', async () => {
    await using bench = await IngressBench.start();
    await bench.home({ script: () => homeAnswer('Hel', 'lo') });
    const runner = clientOf(bench).chat.completions.stream(asked);
    expect(await runner.finalContent()).toBe('Hello');
  });

  it('lists the models that workers serve, and finds one', async () => {
    await using bench = await IngressBench.start();
    await bench.home({ models: ['small', 'org/large'] });
    const client = clientOf(bench);
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    expect(names).toEqual(['default', 'org/large', 'small']);
    expect(await client.models.retrieve('org/large')).toMatchObject({ id: 'org/large' });
    await expect(client.models.retrieve('other')).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('asks the batch lane with service_tier flex, and is told so [B6]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home();
    const answer = await clientOf(bench).chat.completions.create({
      ...asked,
      service_tier: 'flex',
    });
    expect(answer.service_tier).toBe('flex');
    expect(home.submissions[0]?.submit.job.lane).toBe('batch');
  });

  it('knows each error by its class, code and field', async () => {
    await using bench = await IngressBench.start();
    await bench.home({ models: ['m'] });
    const client = clientOf(bench);
    const failing = async (promise: PromiseLike<unknown>): Promise<unknown> =>
      await Promise.resolve(promise).catch((error: unknown) => error);
    const wrong = await failing(client.chat.completions.create({ ...asked, temperature: 3 }));
    expect(wrong).toBeInstanceOf(OpenAI.BadRequestError);
    expect(wrong).toMatchObject({ status: 400, code: 'invalid_value', param: 'temperature' });
    const unknown = await failing(client.chat.completions.create({ ...asked, model: 'nobody' }));
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
    const stranger = clientOf(bench, 'another-key');
    const refused = await failing(stranger.chat.completions.create(asked));
    expect(refused).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(refused).toMatchObject({ code: 'invalid_api_key' });
  });

  it('throws what breaks a stream off', async () => {
    await using bench = await IngressBench.start();
    await bench.home({
      script: () => [
        { kind: 'text', text: 'Hel' },
        { kind: 'failed', code: 'answer_cut' },
      ],
    });
    const stream = await clientOf(bench).chat.completions.create({ ...asked, stream: true });
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    })();
    await expect(reading).rejects.toMatchObject({ code: 'answer_cut' });
    expect(text).toBe('Hel');
  });

  it('tries again by itself what may be tried again, when it is told to [B7]', async () => {
    await using bench = await IngressBench.start();
    let asks = 0;
    await bench.home({
      refuse: () => {
        asks += 1;
        return asks === 1 ? { kind: 'refused', code: 'too_busy', retryAfterMs: 5 } : undefined;
      },
    });
    const client = new OpenAI({ baseURL: `${bench.url}/v1`, apiKey: testKey, maxRetries: 1 });
    const answer = await client.chat.completions.create(asked);
    expect(answer.choices[0]?.message.content).toBe('Hello world');
    expect(asks).toBe(2);
  });

  it('cancels its job by aborting, streaming or not [A10]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({ script: () => [{ kind: 'text', text: 'Once' }] });
    const client = clientOf(bench);
    const stream = await client.chat.completions.create({ ...asked, stream: true });
    for await (const _ of stream) break;
    await until(() => home.cancels.length === 1);
    const abort = new AbortController();
    const waiting = client.chat.completions.create(asked, { signal: abort.signal });
    await until(() => home.submissions.length === 2);
    abort.abort();
    await expect(waiting).rejects.toThrow(OpenAI.APIUserAbortError);
    await until(() => home.cancels.length === 2);
    expect(home.cancels.map(({ jobId }) => jobId)).toEqual(
      home.submissions.map(({ submit }) => submit.job.jobId),
    );
    await until(() => bench.ingress.snapshot().inFlight === 0);
  });
});
