import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import type { FaultsInput } from '../src/testing.ts';
import { emulatorForTest, quickProfile, seenAbort } from './emulator-for-test.ts';

const ask = (content: string) => ({
  model: 'm',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content }],
});
const clientFor = async (faults: FaultsInput = {}, apiKey = 'k1') => {
  const emulator = await emulatorForTest(faults);
  const client = new Anthropic({ baseURL: emulator.url, apiKey, maxRetries: 0 });
  return { emulator, client };
};

describe('the anthropic client', () => {
  it('gets a whole answer and the same as a stream', async () => {
    const { client } = await clientFor();
    const whole = await client.messages.create(ask('Hello'));
    expect(whole.content).toEqual([{ type: 'text', text: expect.stringMatching(/^Simulated/) }]);
    expect(whole).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 20 } });
    const streamed = await client.messages.stream(ask('Hello')).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed).toMatchObject({
      stop_reason: 'end_turn',
      usage: { input_tokens: whole.usage.input_tokens, output_tokens: 20 },
    });
  });

  it('has max_tokens respected', async () => {
    const { client } = await clientFor();
    const message = await client.messages.create({ ...ask('Hello'), max_tokens: 3 });
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
  });

  it('gets thinking in a block of its own when it asks', async () => {
    const { client } = await clientFor();
    const body = { ...ask('why'), thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
    const whole = await client.messages.create(body);
    expect(whole.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    const streamed = await client.messages.stream(body).finalMessage();
    expect(streamed.content).toEqual(whole.content);
  });

  it('counts the system prompt, and takes content as blocks', async () => {
    const { client } = await clientFor();
    const plain = await client.messages.create(ask('Hello there'));
    const guided = await client.messages.create({
      ...ask('Hello there'),
      system: [{ type: 'text', text: 'Be brief and kind.' }],
    });
    expect(guided.usage.input_tokens).toBeGreaterThan(plain.usage.input_tokens);
    const blocks = await client.messages.create({
      ...ask(''),
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello there' }] }],
    });
    expect(blocks.content).toEqual(plain.content);
  });

  it('lists the models', async () => {
    const { client } = await clientFor();
    const models = await Array.fromAsync(client.models.list());
    expect(models.map(({ id }) => id)).toEqual(['m', 'slow']);
  });

  it('is refused in the words of the provider', async () => {
    const { emulator, client } = await clientFor();
    await expect(client.messages.create({ ...ask('Hello'), model: 'gone' })).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
    await expect(
      client.messages.create({ model: 'm', messages: ask('').messages } as never),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining('max_tokens') });
    emulator.setProfile({ ...quickProfile, acceptedKeys: ['k2'] });
    await expect(client.messages.create(ask('Hello'))).rejects.toMatchObject({
      status: 401,
      error: { error: { type: 'authentication_error' } },
    });
    const bare = await fetch(`${emulator.url}/v1/messages`, { method: 'POST', body: '{}' });
    expect(bare.status).toBe(400);
    expect(await bare.text()).toContain('anthropic-version');
  });

  it('sees that the provider is overloaded, at once and inside a stream', async () => {
    const { client } = await clientFor({
      rules: [
        { next: 1, fault: { kind: 'status', status: 529 } },
        { fault: { kind: 'error-in-stream', status: 529 } },
      ],
    });
    const overloaded = { error: { error: { type: 'overloaded_error' } } };
    await expect(client.messages.create(ask('Hello'))).rejects.toMatchObject({
      status: 529,
      ...overloaded,
    });
    const stream = await client.messages.create({ ...ask('Hello'), stream: true });
    await expect(Array.fromAsync(stream)).rejects.toMatchObject(overloaded);
  });

  it('survives frames that faults put between its blocks', async () => {
    const { client } = await clientFor({
      rules: [{ fault: { kind: 'huge-chunk', bytes: 100_000, afterTokens: 40 } }],
    });
    const body = { ...ask('why'), thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
    const message = await client.messages.stream(body).finalMessage();
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    const [, text] = message.content;
    expect(text?.type === 'text' ? text.text.length : 0).toBeGreaterThan(100_000);
  });

  it('is seen to leave', async () => {
    const { emulator, client } = await clientFor();
    const stream = await client.messages.create({ ...ask('Hello'), model: 'slow', stream: true });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
    expect(await seenAbort(emulator)).toMatchObject({ completionTokens: 1 });
  });
});
