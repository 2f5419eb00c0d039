import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { FaultsInput } from '../src/testing.ts';
import { emulatorForTest, lastRequest, seenAbort, until } from './emulator-for-test.ts';

type Fault = NonNullable<FaultsInput['rules']>[number]['fault'];

async function struckBy(fault: Fault) {
  const emulator = await emulatorForTest({ rules: [{ fault }] });
  const client = new OpenAI({
    baseURL: `${emulator.url}/v1`,
    apiKey: 'k1',
    maxRetries: 0,
    logLevel: 'off',
  });
  const body = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] };
  const post = (stream: boolean, signal?: AbortSignal) =>
    fetch(`${emulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...body, stream, stream_options: { include_usage: true } }),
      ...(signal && { signal }),
    });
  return {
    emulator,
    post,
    whole: () => client.chat.completions.create(body),
    stream: async () => {
      const chunks = await client.chat.completions.create({ ...body, stream: true });
      let text = '';
      for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
      return text;
    },
  };
}

const messageOf = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe('refusals', () => {
  it.each([400, 401, 402, 403, 404, 408, 429, 500, 503, 529])(
    'answers %i in the error shape of the provider, bills nothing',
    async (status) => {
      const { emulator, whole, stream } = await struckBy({ kind: 'status', status });
      for (const call of [whole, stream]) {
        await expect(call()).rejects.toMatchObject({
          status,
          error: {
            message: expect.any(String),
            type: expect.any(String),
            code: expect.any(String),
          },
        });
      }
      expect(lastRequest(emulator)).toMatchObject({ status, fault: 'status', promptTokens: 0 });
      expect(emulator.readRecord().counts.byFault).toEqual({ status: 2 });
    },
  );

  it('answers 502 with the page of an edge', async () => {
    const { post } = await struckBy({ kind: 'status', status: 502 });
    const response = await post(true);
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toMatch(/^<html>/);
  });

  it('tells when to come back, or does not', async () => {
    const limits = { requests: { limit: 60, remaining: 0, resetS: 2 } };
    const told = await struckBy({ kind: 'status', status: 429, retryAfterS: 2, limits });
    const { headers } = await told.post(true);
    expect(headers.get('retry-after')).toBe('2');
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0');
    const silent = await struckBy({ kind: 'status', status: 429 });
    expect((await silent.post(true)).headers.has('retry-after')).toBe(false);
  });

  it('kills one key and leaves the others alone', async () => {
    const emulator = await emulatorForTest({
      rules: [{ match: { key: 'k2' }, fault: { kind: 'status', status: 402 } }],
    });
    const statusWith = async (key: string) => {
      const response = await fetch(`${emulator.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
      });
      return response.status;
    };
    expect([await statusWith('k1'), await statusWith('k2')]).toEqual([200, 402]);
  });

  it('strikes lists of models only by their path', async () => {
    const emulator = await emulatorForTest({
      rules: [{ match: { path: '/v1/models' }, fault: { kind: 'status', status: 503 } }],
    });
    expect((await fetch(`${emulator.url}/v1/models`)).status).toBe(503);
    expect((await fetch(`${emulator.url}/api/tags`)).status).toBe(200);
  });
});

describe('stalls', () => {
  it('sends nothing', async () => {
    const { emulator, post } = await struckBy({ kind: 'header-stall' });
    const controller = new AbortController();
    const outcome = messageOf(post(true, controller.signal));
    await until(() => lastRequest(emulator)?.fault === 'header-stall');
    controller.abort();
    expect(await outcome).toMatch(/aborted/);
    const seen = await seenAbort(emulator);
    expect(seen).not.toHaveProperty('firstByteMs');
    expect(seen?.promptTokens).toBeGreaterThan(0);
  });

  it('sends headers and no token', async () => {
    const { emulator, post } = await struckBy({ kind: 'first-token-stall' });
    const controller = new AbortController();
    const response = await post(true, controller.signal);
    expect(response.status).toBe(200);
    controller.abort();
    const seen = await seenAbort(emulator);
    expect(seen).toHaveProperty('firstByteMs');
    expect(seen).not.toHaveProperty('firstTokenMs');
  });

  it('stops in the middle, of a stream or of a body', async () => {
    const { emulator, post } = await struckBy({ kind: 'mid-stream-stall', afterTokens: 5 });
    for (const stream of [true, false]) {
      const controller = new AbortController();
      const response = await post(stream, controller.signal);
      const reader = response.body?.getReader();
      await reader?.read();
      await until(() => lastRequest(emulator)?.completionTokens === 5);
      controller.abort();
      await seenAbort(emulator);
    }
  });

  it('goes on after the stall', async () => {
    const kinds = ['header-stall', 'first-token-stall', 'mid-stream-stall'] as const;
    for (const kind of kinds) {
      const { emulator, stream } = await struckBy({ kind, stallMs: 5 });
      expect(await stream()).toMatch(/^Simulated/);
      expect(lastRequest(emulator)).toMatchObject({ ending: 'complete', completionTokens: 20 });
    }
  });
});

describe('answers that break', () => {
  it('ends a stream in the middle as if all were well', async () => {
    const { emulator, post } = await struckBy({ kind: 'truncated', afterTokens: 5 });
    const text = await (await post(true)).text();
    expect(text.match(/"content":"[^"]+"/g)).toHaveLength(5);
    expect(text).not.toContain('[DONE]');
    expect(lastRequest(emulator)).toMatchObject({ ending: 'complete', completionTokens: 5 });
  });

  it('closes the connection in the middle of a stream or a body', async () => {
    const { emulator, post } = await struckBy({ kind: 'truncated', abrupt: true });
    for (const stream of [true, false]) {
      const response = await post(stream);
      expect(await messageOf(response.text())).toMatch(/terminated/);
    }
    expect(emulator.readRecord().counts.byEnding).toEqual({ cut: 2 });
  });

  it('tells an error inside a stream, or in a body with status 200', async () => {
    const { post, stream } = await struckBy({ kind: 'error-in-stream', message: 'late trouble' });
    await expect(stream()).rejects.toMatchObject({ error: { message: 'late trouble' } });
    const response = await post(false);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ error: { message: 'late trouble' } });
  });

  it('resets the connection before the headers and in the middle', async () => {
    const before = await struckBy({ kind: 'reset', at: 'before' });
    await expect(before.post(true)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(lastRequest(before.emulator)).toMatchObject({ ending: 'reset', promptTokens: 0 });

    const mid = await struckBy({ kind: 'reset', at: 'mid', afterTokens: 3 });
    for (const stream of [true, false]) {
      const response = await mid.post(stream);
      await expect(response.text()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
      expect(lastRequest(mid.emulator)).toMatchObject({ ending: 'reset', completionTokens: 3 });
    }
  });

  it('drips, and the answer is whole all the same', async () => {
    const { whole, stream } = await struckBy({ kind: 'slow-drip', bytesPerWrite: 700, gapMs: 1 });
    expect(await stream()).toBe((await whole()).choices[0]?.message.content);
  });

  it('says what is not JSON', async () => {
    const { post, stream, whole } = await struckBy({ kind: 'garbage-json' });
    await expect(stream()).rejects.toThrow(/malformed server-sent event JSON/);
    await expect(whole()).rejects.toThrow(/JSON/);
    expect(await (await post(true)).text()).toContain('[DONE]');
  });

  it('sends a huge chunk, and the answer is whole all the same', async () => {
    const { whole, stream } = await struckBy({ kind: 'huge-chunk', bytes: 2_000_000 });
    expect((await stream()).length).toBeGreaterThan(2_000_000);
    expect((await whole()).choices[0]?.message.content).toMatch(/^Simulated/);
  });

  it('never ends, and stops when the client has enough', async () => {
    const { emulator, post } = await struckBy({ kind: 'endless', gapMs: 1 });
    for (const stream of [true, false]) {
      const response = await post(stream);
      const reader = response.body?.getReader();
      await until(() => (lastRequest(emulator)?.completionTokens ?? 0) > 30);
      await reader?.cancel();
      expect((await seenAbort(emulator))?.ending).toBe('aborted');
    }
  });

  it('calls itself by the wrong type', async () => {
    const { post } = await struckBy({ kind: 'wrong-content-type' });
    const response = await post(true);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toContain('[DONE]');
  });

  it('leaves the usage out, in every dialect', async () => {
    const { emulator, post, whole } = await struckBy({ kind: 'no-usage' });
    const text = await (await post(true)).text();
    expect(text).toContain('[DONE]');
    expect(text).not.toContain('"usage"');
    expect(await whole()).not.toHaveProperty('usage');
    const messages = [{ role: 'user', content: 'Hello' }];
    for (const stream of [true, false]) {
      const ask = (path: string) =>
        fetch(`${emulator.url}${path}`, {
          method: 'POST',
          headers: { 'anthropic-version': '2023-06-01' },
          body: JSON.stringify({ model: 'm', max_tokens: 50, messages, stream }),
        }).then((response) => response.text());
      expect(await ask('/v1/messages')).not.toMatch(/"usage"/);
      expect(await ask('/api/chat')).not.toMatch(/eval_count/);
    }
  });

  it('tells limits with an answer that is healthy', async () => {
    const limits = { tokens: { limit: 90_000, remaining: 12, resetS: 1.5 } };
    const { post } = await struckBy({ kind: 'headers', limits, headers: { 'x-edge': 'a' } });
    const response = await post(true);
    expect(response.headers.get('x-ratelimit-remaining-tokens')).toBe('12');
    expect(response.headers.get('x-edge')).toBe('a');
    expect(await response.text()).toContain('[DONE]');
  });
});
