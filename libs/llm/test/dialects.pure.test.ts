import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerCollector, maxAnswerLength } from '../src/answer-collector.ts';
import type { Dialect, DialectPart } from '../src/dialect.ts';
import type { StreamPart } from '../src/index.ts';
import { ollamaDialect } from '../src/ollama-dialect.ts';
import { openaiDialect } from '../src/openai-dialect.ts';
import { anyCuts, bytesOf, cutAt } from './streams.ts';

const asked = {
  model: 'asked-for',
  messages: [{ role: 'user' as const, content: '12345678' }],
  maxCompletionTokens: 50,
  whole: false,
};
/** Everything at its edge, so that nothing is lost for being falsy. */
const sampled = {
  ...asked,
  sampling: {
    temperature: 0,
    topP: 1,
    stop: ['.'],
    seed: 0,
    frequencyPenalty: -2,
    presencePenalty: 0,
  },
};
const openai = openaiDialect({ baseUrl: 'http://127.0.0.1:1/v1', key: undefined });
const ollama = ollamaDialect();

/** Counts a character as a token, where the server counts none. */
const characters = ({ length }: string) => length;

/** Reads a response body as a provider would. */
async function read(dialect: Dialect, chunks: readonly (string | Uint8Array)[], type?: string) {
  const answer = new AnswerCollector(asked);
  const parts: StreamPart[] = [];
  const reader = dialect.reader(type);
  const take = (read: Iterable<DialectPart>) => {
    for (const part of read) parts.push(...answer.take(part));
  };
  for (const chunk of bytesOf(...chunks)) take(reader.read(chunk));
  take(reader.end());
  parts.push(...answer.end(characters));
  const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  return { parts, text, last: parts.at(-1) };
}

const event = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`;
const delta = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });
const finishAs = (finish_reason: string) =>
  event({ choices: [{ index: 0, delta: {}, finish_reason }] });
const finish = (finish_reason: string) =>
  event({ model: 'answered', choices: [{ index: 0, delta: {}, finish_reason }] });

it('cuts the name of a model that no server would give [C1]', async () => {
  const named = event({ model: 'm'.repeat(100_000), choices: [] });
  const { last } = await read(openai, [delta('Hi'), named, finishAs('stop')]);
  expect(last).toMatchObject({ kind: 'finish', model: 'm'.repeat(200) });
});

describe('the OpenAI dialect', () => {
  it('asks for a stream with usage, and for the length in the words of the server [C1]', () => {
    expect(openai.path).toBe('/v1/chat/completions');
    expect(openai.body(asked)).toEqual({
      model: 'asked-for',
      messages: asked.messages,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 50,
    });
    const itself = openaiDialect({ baseUrl: 'https://api.openai.com/v1/', key: 'k' });
    expect(itself.path).toBe('/v1/chat/completions');
    expect(itself.body(asked)).toMatchObject({ max_completion_tokens: 50 });
    expect(itself.headers).toMatchObject({ authorization: 'Bearer k' });
  });

  it('passes on how the words are to be drawn, and leaves the rest to the server [C1]', () => {
    expect(openai.body(sampled)).toMatchObject({
      temperature: 0,
      top_p: 1,
      stop: ['.'],
      seed: 0,
      frequency_penalty: -2,
      presence_penalty: 0,
    });
    const { temperature, ...others } = JSON.parse(
      JSON.stringify(openai.body({ ...asked, sampling: { temperature: 0.5 } })),
    );
    expect(temperature).toBe(0.5);
    expect(others).toEqual(openai.body(asked));
  });

  it('reads a stream however its bytes are cut [C1]', async () => {
    const stream = [
      ': keep-alive\r\n\r\n',
      event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
      event({ choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] }),
      delta('Grüße '),
      delta('🐦'),
      finish('stop'),
      event({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 2 } }),
      'data: [DONE]\n\n',
    ].join('');
    await fc.assert(
      fc.asyncProperty(anyCuts, async (cuts) => {
        const { parts, text } = await read(openai, cutAt(stream, cuts));
        expect(text).toBe('Grüße 🐦');
        expect(parts.filter(({ kind }) => kind !== 'text')).toEqual([
          { kind: 'reasoning', text: 'hm' },
          {
            kind: 'usage',
            usage: { promptTokens: 7, completionTokens: 2, estimated: false },
          },
          { kind: 'finish', reason: 'stop', model: 'answered' },
        ]);
      }),
    );
  });

  it('does without [DONE] and counts itself where the server counts nothing [C1]', async () => {
    const { last, parts } = await read(openai, [delta('12345'), finish('length')]);
    expect(last).toEqual({ kind: 'finish', reason: 'length', model: 'answered' });
    expect(parts.at(-2)).toEqual({
      kind: 'usage',
      // A chat's template is counted in: 3 for the whole and 4 for its one message.
      usage: { promptTokens: 15, completionTokens: 5, estimated: true },
    });
  });

  it('keeps a thought inside the text apart [F9]', async () => {
    const { text, parts } = await read(openai, [
      delta('<think>secr'),
      delta('et</think>'),
      delta('Open'),
      finish('stop'),
    ]);
    expect(text).toBe('Open');
    expect(parts).toContainEqual({ kind: 'reasoning', text: 'secr' });
  });

  it('asks for an answer in one piece when nobody reads along [C1]', () => {
    const { stream_options, ...streamed } = openai.body(asked) as Record<string, unknown>;
    expect(stream_options).toBeDefined();
    expect(openai.body({ ...asked, whole: true })).toEqual({ ...streamed, stream: false });
    expect(ollama.body({ ...asked, whole: true })).toMatchObject({ stream: false });
  });

  it('reads an answer that came in one piece [C1]', async () => {
    const whole = JSON.stringify({
      model: 'answered',
      choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    });
    const { text, last } = await read(openai, [whole], 'application/json; charset=utf-8');
    expect(text).toBe('Hi');
    expect(last?.kind).toBe('finish');
  });

  it.each([
    ['a stream cut before its end', [delta('Half a')], 'answer_cut', 'stream_truncated'],
    ['a stream cut inside a chunk', [delta('a'), 'data: {"choi'], 'answer_cut', 'stream_truncated'],
    ['an answer without text', [finish('stop')], 'answer_cut', 'empty_answer'],
    ['a filtered answer', [finish('content_filter')], 'provider_refused', 'content_filter'],
  ])('calls %s a fault', async (_, chunks, code, detail) => {
    const { last } = await read(openai, chunks);
    expect(last).toMatchObject({ kind: 'error', fault: { code, detail } });
  });

  it.each([
    ['no JSON', 'data: {oops\n\n', 'provider_unavailable', 'malformed_stream'],
    ['a list', 'data: []\n\n', 'provider_unavailable', 'malformed_stream'],
    ['another shape', event({ choices: 'none' }), 'provider_unavailable', 'malformed_stream'],
    [
      'text that is none',
      event({ choices: [{ delta: { content: 7 } }] }),
      'provider_unavailable',
      'malformed_stream',
    ],
    [
      'usage without its counts',
      event({ choices: [], usage: { prompt_tokens: 1 } }),
      'provider_unavailable',
      'malformed_stream',
    ],
    [
      'an error object',
      event({ error: { message: 'secret sk-123', code: 'rate_limit_exceeded' } }),
      'provider_limited',
      'stream_error_rate_limit_exceeded',
    ],
    [
      'an error with a status',
      event({ error: { code: 502, message: 'upstream' }, choices: [] }),
      'provider_unavailable',
      'stream_error_502',
    ],
    ['a failed upstream', finish('error'), 'provider_unavailable', 'stream_error'],
  ])('ends at %s in the stream [C1]', async (_, chunk, code, detail) => {
    await expect(read(openai, [delta('a'), chunk, delta('b')])).rejects.toMatchObject({
      fault: { code, detail },
    });
  });

  it('ends an endless answer at its bound', async () => {
    const answer = new AnswerCollector(asked);
    let length = 0;
    while (!answer.full) {
      for (const part of answer.take({ kind: 'text', text: 'x'.repeat(1_000) })) {
        if (part.kind === 'text') length += part.text.length;
      }
    }
    expect(length).toBe(maxAnswerLength);
    expect(answer.end(characters).at(-1)).toMatchObject({ kind: 'finish', reason: 'length' });
  });
});

describe('the Ollama dialect', () => {
  const line = (chunk: object) => `${JSON.stringify({ model: 'llama3.2', ...chunk })}\n`;
  const done = { done: true, done_reason: 'stop', prompt_eval_count: 26, eval_count: 3 };

  it('asks in its own words [C1]', () => {
    expect(ollama.path).toBe('/api/chat');
    expect(ollama.body(asked)).toEqual({
      model: 'asked-for',
      messages: asked.messages,
      stream: true,
      options: { num_predict: 50 },
    });
  });

  it('passes on how the words are to be drawn [C1]', () => {
    expect(ollama.body(sampled)).toMatchObject({
      options: {
        num_predict: 50,
        temperature: 0,
        top_p: 1,
        stop: ['.'],
        seed: 0,
        frequency_penalty: -2,
        presence_penalty: 0,
      },
    });
  });

  it('reads lines however they are cut, the last with or without its end [C1]', async () => {
    const lines = [
      line({ message: { role: 'assistant', content: '', thinking: 'hm' }, done: false }),
      line({ message: { role: 'assistant', content: 'Gr' }, done: false }),
      line({ message: { role: 'assistant', content: 'üße' }, done: false }),
      line({ message: { role: 'assistant', content: '' }, ...done }),
    ].join('');
    await fc.assert(
      fc.asyncProperty(anyCuts, fc.boolean(), async (cuts, ended) => {
        const stream = ended ? lines : lines.trimEnd();
        const { text, parts } = await read(ollama, cutAt(stream, cuts));
        expect(text).toBe('Grüße');
        expect(parts.slice(-2)).toEqual([
          {
            kind: 'usage',
            usage: { promptTokens: 26, completionTokens: 3, estimated: false },
          },
          { kind: 'finish', reason: 'stop', model: 'llama3.2' },
        ]);
      }),
    );
  });

  it('ends at an error line, and at a line that is cut [C1]', async () => {
    const failed = read(ollama, [line({ message: { content: 'a' } }), '{"error":"model gone"}\n']);
    await expect(failed).rejects.toMatchObject({ fault: { detail: 'stream_error' } });
    const cut = read(ollama, [line({ message: { content: 'a' } }), '{"model":"lla']);
    await expect(cut).rejects.toMatchObject({ fault: { detail: 'malformed_stream' } });
  });
});
