import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { countTokens } from '../src/count-tokens.ts';
import { keyLabel } from '../src/key-label.ts';
import type { LlmEmulator } from '../src/testing.ts';
import {
  emulatorForTest,
  lastRequest,
  quickModel,
  quickProfile,
  seenAbort,
  until,
} from './emulator-for-test.ts';

const clientOf = ({ url }: LlmEmulator, apiKey = 'k1') =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const ask = (content: string) => [{ role: 'user' as const, content }];

describe('the openai client', () => {
  it('gets a whole answer with its usage, the same each time', async () => {
    const emulator = await emulatorForTest();
    const client = clientOf(emulator);
    const first = await client.chat.completions.create({ model: 'm', messages: ask('Hello') });
    const again = await client.chat.completions.create({ model: 'm', messages: ask('Hello') });
    const [choice] = first.choices;
    expect(choice?.message.content).toMatch(/^Simulated answer from m;/);
    expect(choice?.finish_reason).toBe('stop');
    expect(again.choices[0]?.message).toEqual(choice?.message);
    expect(first.usage?.completion_tokens).toBe(countTokens(choice?.message.content ?? ''));
    expect(first.usage?.total_tokens).toBe((first.usage?.prompt_tokens ?? 0) + 20);
    expect(again.id).not.toBe(first.id);
  });

  it('gets the same answer as a stream, with usage only when it asks', async () => {
    const emulator = await emulatorForTest();
    const client = clientOf(emulator);
    const whole = await client.chat.completions.create({ model: 'm', messages: ask('Hello') });
    const read = async (includeUsage: boolean) => {
      const stream = await client.chat.completions.create({
        model: 'm',
        messages: ask('Hello'),
        stream: true,
        stream_options: { include_usage: includeUsage },
      });
      return Array.fromAsync(stream);
    };
    const chunks = await read(true);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    const without = await read(false);
    expect(without.every(({ usage }) => !usage)).toBe(true);
    expect(without).toHaveLength(chunks.length - 1);
  });

  it('finds the stream whole with its own accumulator', async () => {
    const client = clientOf(await emulatorForTest());
    const stream = client.chat.completions.stream({ model: 'm', messages: ask('[[tokens:30]]') });
    expect(await stream.finalContent()).toMatch(/^Simulated answer/);
  });

  it('has its limits respected, old name and new', async () => {
    const client = clientOf(await emulatorForTest());
    for (const limit of [{ max_tokens: 4 }, { max_completion_tokens: 4 }]) {
      const answer = await client.chat.completions.create({
        model: 'm',
        messages: ask('Hello'),
        ...limit,
      });
      expect(answer.choices[0]?.finish_reason).toBe('length');
      expect(answer.usage?.completion_tokens).toBe(4);
    }
  });

  it('may send parts, tools and what else it likes', async () => {
    const client = clientOf(await emulatorForTest());
    const answer = await client.chat.completions.create({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this? [[tokens:7]]' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'look', parameters: {} } }],
      temperature: 0.2,
      user: 'someone',
    });
    expect(answer.usage?.completion_tokens).toBe(7);
  });

  it('gets reasoning apart from the answer, in the field of the server it talks to', async () => {
    const emulator = await emulatorForTest();
    const client = clientOf(emulator);
    const order = { model: 'm', messages: ask('[[think:5]] [[tokens:6]]') };
    const styleOf = async (reasoningStyle: 'reasoning' | 'reasoning_content') => {
      emulator.setProfile({ models: [{ ...quickModel, reasoningStyle }] });
      return (await client.chat.completions.create(order)).choices[0]?.message;
    };
    expect(await styleOf('reasoning_content')).toHaveProperty('reasoning_content');
    expect(await styleOf('reasoning')).toHaveProperty('reasoning');
    const answer = await client.chat.completions.create(order);
    expect(answer.usage).toMatchObject({
      completion_tokens: 11,
      completion_tokens_details: { reasoning_tokens: 5 },
    });
  });

  it('lists the models', async () => {
    const models = await Array.fromAsync(await clientOf(await emulatorForTest()).models.list());
    expect(models.map(({ id }) => id)).toEqual(['m', 'slow']);
  });

  it('is refused in the words of the provider', async () => {
    const emulator = await emulatorForTest();
    const client = clientOf(emulator);
    const create = (body: object) =>
      client.chat.completions.create({ model: 'm', messages: ask('Hello'), ...body } as never);
    await expect(create({ model: 'gone' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    await expect(create({ messages: [] })).rejects.toMatchObject({
      status: 400,
      param: 'messages',
    });
    await expect(create({ n: 2 })).rejects.toMatchObject({ status: 400, param: 'n' });
    await expect(create({ max_tokens: 0 })).rejects.toMatchObject({ status: 400 });
    emulator.setProfile({ models: [{ ...quickModel, contextTokens: 10 }] });
    await expect(create({ messages: ask('word '.repeat(20)) })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    expect(emulator.readRecord().counts).toMatchObject({
      byStatus: { 400: 4, 404: 1 },
      promptTokens: 0,
    });
  });

  it('needs an accepted key once there is a list of them, and the list may change', async () => {
    const emulator = await emulatorForTest();
    emulator.setProfile({ ...quickProfile, acceptedKeys: ['k1'] });
    const answered = (key: string) =>
      clientOf(emulator, key)
        .chat.completions.create({ model: 'm', messages: ask('Hello') })
        .then(
          () => true,
          (error: unknown) => error,
        );
    expect(await answered('k1')).toBe(true);
    expect(await answered('k2')).toMatchObject({ status: 401, code: 'invalid_api_key' });
    await expect(clientOf(emulator, 'k2').models.list()).rejects.toMatchObject({ status: 401 });
    emulator.setProfile({ ...emulator.profile(), acceptedKeys: ['k2', keyLabel('k3')] });
    expect(await answered('k1')).toMatchObject({ status: 401 });
    expect(await answered('k2')).toBe(true);
    expect(await answered('k3')).toBe(true);
    const { byKey } = emulator.readRecord().concurrency;
    expect(Object.keys(byKey).toSorted()).toEqual(['k1', 'k2', 'k3'].map(keyLabel).toSorted());
    expect(JSON.stringify(emulator.readRecord())).not.toMatch(/"k[123]"/);
  });

  it('is seen to leave, before the first token and in the middle of a stream', async () => {
    const emulator = await emulatorForTest({
      rules: [{ match: { model: 'm' }, fault: { kind: 'header-stall' } }],
    });
    const client = clientOf(emulator);
    const controller = new AbortController();
    const waiting = client.chat.completions.create(
      { model: 'm', messages: ask('Hello') },
      { signal: controller.signal },
    );
    const outcome = waiting.catch((error: unknown) => error);
    await until(() => lastRequest(emulator)?.fault === 'header-stall');
    controller.abort();
    expect(await outcome).toBeInstanceOf(OpenAI.APIUserAbortError);
    expect((await seenAbort(emulator))?.status).toBeUndefined();

    const stream = await client.chat.completions.create({
      model: 'slow',
      messages: ask('Hello'),
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const seen = await seenAbort(emulator);
    expect(seen).toMatchObject({ status: 200, completionTokens: 1 });
    expect(seen?.abortSeenMs).toBe(seen?.endMs);
    expect(emulator.readRecord().concurrency.now).toBe(0);
  });

  it('leaves a record of what it asked and what it cost', async () => {
    const emulator = await emulatorForTest();
    const { usage } = await clientOf(emulator).chat.completions.create({
      model: 'm',
      messages: ask('Hello'),
    });
    expect(lastRequest(emulator)).toMatchObject({
      path: '/v1/chat/completions',
      keyLabel: keyLabel('k1'),
      model: 'm',
      stream: false,
      ending: 'complete',
      status: 200,
      promptTokens: usage?.prompt_tokens,
      completionTokens: 20,
      promptHash: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });
});
