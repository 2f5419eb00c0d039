import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseConfig, providerSection } from '@starling/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelSource, modelSourceFrom } from '../src/index.ts';

const key = 'sk-model-source-0123456789abcdef';

describe('the models of a provider', () => {
  /** Bodies by path; what is not here is answered with 404. */
  let pages: Record<string, unknown>;
  let seen: { readonly path: string; readonly authorization: string | undefined }[];
  let answer: RequestListener;
  let origin: string;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    pages = {};
    seen = [];
    answer = ({ url = '' }, response) => {
      const page = pages[url];
      response.statusCode = page === undefined ? 404 : 200;
      response.end(JSON.stringify(page ?? { error: `no ${url} for ${key}` }));
    };
    const server = createServer((request, response) => {
      const { authorization } = request.headers;
      seen.push({ path: request.url ?? '', authorization });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    stop = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
  });

  afterEach(() => stop());

  function source(environment: Record<string, string>): ModelSource {
    const found = modelSourceFrom(parseConfig(providerSection, environment));
    if (!found) throw new Error('no source');
    return found;
  }

  const read = (environment: Record<string, string>) =>
    source(environment).read(new AbortController().signal);
  const openai = () => ({ OPENAI_BASE_URL: `${origin}/v1`, OPENAI_API_KEY: key });

  it('are what an OpenAI-compatible server lists, all of them ready [B1] [C1]', async () => {
    pages['/v1/models'] = { object: 'list', data: [{ id: 'a' }, { id: 'b', owned_by: 'vllm' }] };
    expect(await read(openai())).toEqual({ served: ['a', 'b'], loaded: ['a', 'b'] });
    expect(seen).toEqual([{ path: '/v1/models', authorization: `Bearer ${key}` }]);
  });

  it('are ready by the word of a server that says it, as llama.cpp does [B1]', async () => {
    pages['/v1/models'] = {
      data: [
        { id: 'in', status: { value: 'loaded' } },
        { id: 'out', status: { value: 'unloaded' } },
      ],
    };
    expect(await read(openai())).toEqual({ served: ['in', 'out'], loaded: ['in'] });
  });

  it('are what Ollama has on its disk, ready those that it has in memory [B1]', async () => {
    pages['/api/tags'] = { models: [{ name: 'llama3.2:latest' }, { name: 'qwen3:8b' }] };
    expect(await read({ OLLAMA_HOST: origin })).toEqual({
      served: ['llama3.2', 'llama3.2:latest', 'qwen3:8b'],
      loaded: [],
    });
    pages['/api/ps'] = { models: [{ name: 'qwen3:8b' }] };
    expect(await read({ OLLAMA_HOST: origin })).toMatchObject({ loaded: ['qwen3:8b'] });
  });

  it('hold the one that the operator made the default, by whatever name [B1]', async () => {
    pages['/v1/models'] = { data: [{ id: '/models/qwen.gguf' }] };
    expect(await read({ ...openai(), STARLING_MODEL: 'qwen' })).toEqual({
      served: ['/models/qwen.gguf', 'qwen'],
      loaded: ['/models/qwen.gguf', 'qwen'],
    });
  });

  it.each<[string, RequestListener, string]>([
    ['a refusal', (_, response) => response.writeHead(401).end(key), 'http_401'],
    ['no JSON', (_, response) => response.end(`<p>${key}`), 'malformed'],
    ['another shape', (_, response) => response.end('{"data":{}}'), 'malformed'],
    ['an error', (_, response) => response.end(`{"error":"${key}"}`), 'malformed'],
    ['no end', (_, response) => response.end('x'.repeat(2 ** 20 + 1)), 'too_long'],
    ['a closed door', ({ socket }) => socket.destroy(), 'unreachable'],
    [
      'another address',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9' }).end(),
      'unreachable',
    ],
  ])('are not known of %s, and the reason holds no secret', async (_what, listener, code) => {
    answer = listener;
    const error = await read(openai()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ModelSourceError', code });
    expect(String((error as Error).stack)).not.toContain(key);
  });

  it('are not waited for beyond the signal', async () => {
    answer = () => {};
    const ending = new AbortController();
    const reading = source(openai()).read(ending.signal);
    ending.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  it('of OpenRouter are any, and those of no provider nobody asks for', () => {
    const from = (environment: Record<string, string>) =>
      modelSourceFrom(parseConfig(providerSection, environment));
    expect(from({ OPENROUTER_API_KEY: key })).toBeUndefined();
    expect(from({})).toBeUndefined();
  });
});
