import { Ollama } from 'ollama';
import { describe, expect, it } from 'vitest';
import { emulatorForTest, seenAbort } from './emulator-for-test.ts';

const ask = (content: string) => ({ model: 'm', messages: [{ role: 'user', content }] });
const clientFor = async (faults = {}) => {
  const emulator = await emulatorForTest(faults);
  return { emulator, client: new Ollama({ host: emulator.url }) };
};

describe('the ollama client', () => {
  it('gets a whole answer and the same as a stream', async () => {
    const { client } = await clientFor();
    const whole = await client.chat({ ...ask('Hello'), stream: false });
    expect(whole).toMatchObject({ done: true, done_reason: 'stop', eval_count: 20 });
    expect(whole.message.content).toMatch(/^Simulated answer/);
    const parts = await Array.fromAsync(await client.chat({ ...ask('Hello'), stream: true }));
    expect(parts.map(({ message }) => message.content).join('')).toBe(whole.message.content);
    expect(parts.at(-1)).toMatchObject({
      done: true,
      eval_count: 20,
      prompt_eval_count: whole.prompt_eval_count,
    });
  });

  it('streams when the body does not say', async () => {
    const { emulator } = await clientFor();
    const response = await fetch(`${emulator.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify(ask('Hello')),
    });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect((await response.text()).split('\n').length).toBeGreaterThan(20);
  });

  it('has num_predict respected, and its usual tag understood', async () => {
    const { client } = await clientFor();
    const short = { ...ask('Hello'), model: 'm:latest', options: { num_predict: 3 } };
    expect(await client.chat({ ...short, stream: false })).toMatchObject({
      done_reason: 'length',
      eval_count: 3,
    });
    const endless = { ...ask('Hello'), options: { num_predict: -1 } };
    expect(await client.chat({ ...endless, stream: false })).toMatchObject({ eval_count: 20 });
  });

  it('gets thinking apart when it asks', async () => {
    const { client } = await clientFor();
    const whole = await client.chat({ ...ask('why'), think: true, stream: false });
    expect(whole.message.thinking).toMatch(/^Simulated reasoning/);
    const parts = await Array.fromAsync(
      await client.chat({ ...ask('why'), think: true, stream: true }),
    );
    const thinking = parts.map(({ message }) => message.thinking ?? '').join('');
    expect(thinking).toBe(whole.message.thinking);
  });

  it('lists models and the version', async () => {
    const { client } = await clientFor();
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(['m', 'slow']);
    expect((await client.ps()).models.map(({ name }) => name)).toEqual(['m', 'slow']);
    expect(await client.version()).toEqual({ version: '0.0.0-simulated' });
  });

  it('is refused in the words of the provider', async () => {
    const { client } = await clientFor();
    const gone = { ...ask('Hello'), model: 'gone' };
    await expect(client.chat({ ...gone, stream: false })).rejects.toMatchObject({
      status_code: 404,
      message: expect.stringContaining("model 'gone' not found"),
    });
    await expect(client.chat({ model: 'm', messages: [], stream: false })).rejects.toMatchObject({
      status_code: 400,
    });
  });

  it('sees an error inside a stream, and one that ends early', async () => {
    const { client } = await clientFor({
      rules: [
        { next: 1, fault: { kind: 'error-in-stream', message: 'the runner died' } },
        { next: 1, fault: { kind: 'truncated' } },
      ],
    });
    const read = async () => Array.fromAsync(await client.chat({ ...ask('Hello'), stream: true }));
    await expect(read()).rejects.toThrow('the runner died');
    await expect(read()).rejects.toThrow('Did not receive done');
  });

  it('is seen to leave', async () => {
    const { emulator, client } = await clientFor();
    const stream = await client.chat({ ...ask('Hello'), model: 'slow', stream: true });
    const reading = (async () => {
      for await (const _part of stream) stream.abort();
    })();
    await expect(reading).rejects.toThrow();
    expect(await seenAbort(emulator)).toMatchObject({ completionTokens: 1 });
  });
});
