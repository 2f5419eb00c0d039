import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, SimulatedClock, seededRandom, systemClock } from '@starling/clock';
import { parseConfig, providerSection } from '@starling/config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CallOptions, type Provider, providerFrom, type StreamPart } from '../src/index.ts';
import { collect } from './streams.ts';

const key = 'sk-contract-0123456789abcdef';
const request = { messages: [{ role: 'user' as const, content: 'Hi' }], maxCompletionTokens: 9 };

const event = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`;
const delta = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });
const finish = event({ model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });

const call = (changes: Partial<CallOptions> = {}): CallOptions => ({
  signal: new AbortController().signal,
  deadlineAtMs: Number.MAX_SAFE_INTEGER,
  ...changes,
});

describe('a provider over HTTP', () => {
  let answer: RequestListener;
  let calls: number;
  /** The body of the latest request. */
  let asked: string;
  let openSockets: number;
  let stop: () => Promise<void>;
  let baseUrl: string;

  beforeEach(async () => {
    calls = 0;
    openSockets = 0;
    const server = createServer((incoming, response) => {
      calls += 1;
      asked = '';
      incoming.on('data', (chunk) => {
        asked += chunk;
      });
      incoming.on('end', () => answer(incoming, response));
    });
    server.on('connection', (socket) => {
      openSockets += 1;
      socket.on('close', () => {
        openSockets -= 1;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    stop = async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
  });

  afterEach(() => stop());

  function provider(
    environment: Record<string, string> = {},
    clock: Clock = systemClock,
  ): Provider {
    const config = parseConfig(providerSection, {
      OPENAI_BASE_URL: baseUrl,
      OPENAI_API_KEY: key,
      ...environment,
    });
    return providerFrom(config, { clock, random: seededRandom(1) });
  }

  const begin = (response: ServerResponse, ...chunks: string[]) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunks) response.write(chunk);
    return response;
  };

  it('streams an answer and uses its connection again [C1] [C2]', async () => {
    answer = (incoming, response) => {
      expect(incoming.headers.authorization).toBe(`Bearer ${key}`);
      begin(response, delta('Hel'), delta('lo'), finish, 'data: [DONE]\n\n').end();
    };
    await using model = provider();
    for (let turn = 0; turn < 20; turn += 1) {
      const parts = await collect(model.stream(request, call()));
      const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
      expect(text).toBe('Hello');
      expect(parts.slice(-2).map(({ kind }) => kind)).toEqual(['usage', 'finish']);
    }
    expect(model.stats()).toMatchObject({ lent: 20, opened: 1, borrowed: 0 });
    expect(model.stats().reuse).toBeGreaterThan(0.9);
  });

  it('asks for the answer in one piece when nobody reads along [C1]', async () => {
    answer = (_, response) => {
      const body = JSON.stringify({
        model: 'm',
        choices: [{ message: { content: '<think>hm</think>Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 1 },
      });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(body.slice(0, 30));
      setImmediate(() => response.end(body.slice(30)));
    };
    await using model = provider();
    expect(await collect(model.stream(request, call({ whole: true })))).toEqual([
      { kind: 'reasoning', text: 'hm' },
      { kind: 'text', text: 'Hello' },
      { kind: 'usage', usage: { promptTokens: 3, completionTokens: 1, estimated: false } },
      { kind: 'finish', reason: 'stop', model: 'm', provider: 'openai' },
    ]);
    expect(JSON.parse(asked)).toMatchObject({ stream: false });
  });

  it('waits for an answer in one piece as long as its tokens may take [C3]', async () => {
    const clock = new SimulatedClock();
    let answering = 0;
    answer = () => {
      answering += 1;
    };
    await using model = provider({ STARLING_PROVIDER_RETRIES: '0' }, clock);
    let ended = false;
    const long = { ...request, maxCompletionTokens: 1_000 };
    const parts = collect(model.stream(long, call({ whole: true }))).finally(() => {
      ended = true;
    });
    await vi.waitFor(() => expect(answering).toBe(1));
    await clock.advance(57_999);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await parts).toMatchObject([
      { kind: 'error', fault: { code: 'provider_timeout', detail: 'total_timeout' } },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends calmly when every call fails with 500 [F10] [C4]', async () => {
    answer = (_, response) => response.writeHead(500).end('<html>edge</html>');
    await using model = provider();
    const parts = await collect(model.stream(request, call()));
    expect(parts).toEqual([
      {
        kind: 'error',
        fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true },
      },
    ]);
    expect(calls).toBe(3);
    expect(model.stats()).toMatchObject({ borrowed: 0, opened: 1 });
  });

  it('closes the upstream socket at once when the caller stops [A10]', async () => {
    answer = (_, response) => begin(response, delta('word '));
    await using model = provider();
    const abort = new AbortController();
    const parts: StreamPart[] = [];
    for await (const part of model.stream(request, call({ signal: abort.signal }))) {
      parts.push(part);
      abort.abort();
    }
    expect(parts).toMatchObject([
      { kind: 'text' },
      { kind: 'error', fault: { code: 'cancelled' } },
    ]);
    await vi.waitFor(() => expect(openSockets).toBe(0));
    expect(model.stats().borrowed).toBe(0);
  });

  it('closes the upstream socket when the reader leaves', async () => {
    answer = (_, response) => begin(response, delta('word '));
    await using model = provider();
    for await (const _ of model.stream(request, call())) break;
    await vi.waitFor(() => expect(openSockets).toBe(0));
    expect(model.stats().borrowed).toBe(0);
  });

  it.each([
    ['no head', () => {}, 'provider_timeout', 'first_token_timeout', 8_000],
    [
      'comments but no token',
      (response: ServerResponse) => begin(response, ': wait\n\n'),
      'provider_timeout',
      'first_token_timeout',
      8_000,
    ],
    [
      'one token and silence',
      (response: ServerResponse) => begin(response, delta('a')),
      'answer_cut',
      'idle_timeout',
      8_000,
    ],
  ])('gives up on %s [C3]', async (_, behave, code, detail, afterMs) => {
    const clock = new SimulatedClock();
    let answering = 0;
    answer = (_incoming, response) => {
      answering += 1;
      behave(response);
    };
    await using model = provider({ STARLING_PROVIDER_RETRIES: '0' }, clock);
    const parts: StreamPart[] = [];
    const reading = (async () => {
      for await (const part of model.stream(request, call())) parts.push(part);
    })();
    await vi.waitFor(() => expect(answering).toBe(1));
    if (code === 'answer_cut') await vi.waitFor(() => expect(parts).toHaveLength(1));
    await clock.advance(afterMs);
    await reading;
    expect(parts.at(-1)).toMatchObject({ kind: 'error', fault: { code, detail } });
    await vi.waitFor(() => expect(openSockets).toBe(0));
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for a server that keeps its stream open after the answer', async () => {
    const clock = new SimulatedClock();
    answer = (_, response) => begin(response, delta('done'), finish, 'data: [DONE]\n\n');
    await using model = provider({}, clock);
    const parts: StreamPart[] = [];
    let ended = false;
    const reading = (async () => {
      for await (const part of model.stream(request, call())) parts.push(part);
      ended = true;
    })();
    await vi.waitFor(() => expect(parts).toHaveLength(1));
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(ended).toBe(true);
    });
    await reading;
    expect(parts.at(-1)).toMatchObject({ kind: 'finish', reason: 'stop' });
    expect(clock.monotonicMs()).toBeLessThan(8_000);
  });

  it('calls a stream that is cut after its first text broken off, and tries no more', async () => {
    answer = (_, response) => {
      begin(response, delta('Half'));
      setImmediate(() => response.socket?.destroy());
    };
    await using model = provider();
    const parts = await collect(model.stream(request, call()));
    expect(parts).toMatchObject([
      { kind: 'text', text: 'Half' },
      { kind: 'error', fault: { code: 'answer_cut', detail: 'connection_reset' } },
    ]);
    expect(calls).toBe(1);
  });

  it('lets no key out, whatever the provider repeats', async () => {
    const written: string[] = [];
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    answer = (_, response) => {
      const body = { error: { message: `Incorrect API key: ${key}`, type: key, code: key } };
      response.writeHead(401, { 'x-echo': key }).end(JSON.stringify(body));
    };
    await using model = provider();
    const parts = await collect(model.stream(request, call()));
    answer = (_, response) => begin(response, event({ error: { message: key, code: key } })).end();
    parts.push(...(await collect(model.stream(request, call()))));
    spy.mockRestore();
    expect(parts).toMatchObject([
      { kind: 'error', fault: { code: 'provider_unavailable', detail: 'http_401' } },
      { kind: 'error', fault: { code: 'provider_unavailable', detail: 'stream_error' } },
    ]);
    expect(JSON.stringify([parts, written, model.stats()])).not.toContain(key);
  });
});
