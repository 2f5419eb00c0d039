import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerCollector } from '../src/answer-collector.ts';
import { anthropicDialect } from '../src/anthropic-dialect.ts';
import type { DialectPart } from '../src/dialect.ts';
import type { StreamPart } from '../src/provider.ts';
import { ProviderFaultError } from '../src/provider-fault.ts';
import { anyCuts, bytesOf, cutAt } from './streams.ts';

const key = 'sk-ant-0123456789abcdef';
const dialect = anthropicDialect({ baseUrl: 'https://api.anthropic.com/v1', key });
const asked = {
  model: 'claude',
  messages: [{ role: 'user' as const, content: 'Hi' }],
  maxCompletionTokens: 50,
  whole: false,
};

const event = (type: string, fields: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const start = event('message_start', {
  message: {
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 7, cache_read_input_tokens: 100, output_tokens: 1 },
  },
});
const block = (index: number, delta: object) =>
  event('content_block_start', { index, content_block: { type: 'text', text: '' } }) +
  event('content_block_delta', { index, delta }) +
  event('content_block_stop', { index });
const text = (words: string) => block(1, { type: 'text_delta', text: words });
const ends = (stop_reason: string, output_tokens = 5) =>
  event('message_delta', { delta: { stop_reason }, usage: { output_tokens } }) +
  event('message_stop');

function read(chunks: readonly (string | Uint8Array)[], type?: string): StreamPart[] {
  const answer = new AnswerCollector(asked);
  const parts: StreamPart[] = [];
  const reader = dialect.reader(type);
  const take = (read: Iterable<DialectPart>) => {
    for (const part of read) parts.push(...answer.take(part));
  };
  for (const chunk of bytesOf(...chunks)) take(reader.read(chunk));
  take(reader.end());
  return [...parts, ...answer.end(({ length }) => length)];
}

describe('the Anthropic dialect', () => {
  it('asks with its own headers, the system apart, and turns that begin with the user [C1]', () => {
    expect(dialect.path).toBe('/v1/messages');
    expect(dialect.headers).toMatchObject({ 'x-api-key': key, 'anthropic-version': '2023-06-01' });
    const messages = [
      { role: 'system' as const, content: 'Be kind.' },
      { role: 'assistant' as const, content: 'Before.' },
      { role: 'user' as const, content: '' },
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Hi' },
    ];
    const sampling = { temperature: 1.5, topP: 0.5, seed: 1, stop: ['.'] };
    expect(dialect.body({ ...asked, messages, sampling })).toEqual({
      model: 'claude',
      system: 'Be kind.\n\nBe brief.',
      messages: [
        { role: 'user', content: '…' },
        { role: 'assistant', content: 'Before.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 50,
      stream: true,
      temperature: 1,
      stop_sequences: ['.'],
    });
    expect(dialect.body({ ...asked, whole: true, sampling: { topP: 0 } })).toEqual({
      ...{ model: 'claude', messages: asked.messages, max_tokens: 50, stream: false, top_p: 0 },
    });
  });

  it('reads text, thoughts, both halves of the usage, and the model [C1] [C8]', () => {
    const thought = block(0, { type: 'thinking_delta', thinking: 'Hm.' });
    const signature = block(0, { type: 'signature_delta', signature: 'c2ln' });
    const unknown = event('something_new', { index: 3 }) + event('ping');
    const stream = start + thought + signature + unknown + text('Hel') + text('lo');
    expect(read([stream + ends('end_turn')])).toEqual([
      { kind: 'reasoning', text: 'Hm.' },
      { kind: 'text', text: 'Hel' },
      { kind: 'text', text: 'lo' },
      { kind: 'usage', usage: { promptTokens: 107, completionTokens: 5, estimated: false } },
      { kind: 'finish', reason: 'stop', model: 'claude-x' },
    ]);
  });

  it('reads an answer in one piece [C1]', () => {
    const body = JSON.stringify({
      ...{ type: 'message', role: 'assistant', model: 'claude-x', stop_reason: 'max_tokens' },
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: '' },
        { type: 'text', text: 'Hello' },
      ],
      usage: { input_tokens: 3, output_tokens: 4 },
    });
    expect(read([body.slice(0, 20), body.slice(20)], 'application/json')).toEqual([
      { kind: 'reasoning', text: 'Hm.' },
      { kind: 'text', text: 'Hello' },
      { kind: 'usage', usage: { promptTokens: 3, completionTokens: 4, estimated: false } },
      { kind: 'finish', reason: 'length', model: 'claude-x' },
    ]);
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'],
  ])('takes %s for %s [C1]', (reason, expected) => {
    expect(read([start + text('Hi') + ends(reason)]).at(-1)).toMatchObject({ reason: expected });
  });

  it('reads the same however the bytes are cut [C1]', () => {
    const stream = start + text('Grüße, 世界 🐦') + ends('end_turn');
    const textOf = (parts: StreamPart[]) =>
      parts.map((part) => (part.kind === 'text' ? part.text : part.kind)).join('');
    const whole = textOf(read([stream]));
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        expect(textOf(read(cutAt(stream, cuts)))).toBe(whole);
      }),
    );
  });

  it.each([
    ['overloaded_error', 'provider_limited'],
    ['rate_limit_error', 'provider_limited'],
    ['api_error', 'provider_unavailable'],
  ])('ends in the fault of %s inside the stream [C4]', (type, code) => {
    const error = event('error', { error: { type, message: `Bad ${key}` } });
    expect(() => read([start + text('Half') + error])).toThrow(ProviderFaultError);
    try {
      read([start + text('Half') + error]);
    } catch (thrown) {
      const { fault } = thrown as ProviderFaultError;
      expect(fault).toMatchObject({ code, detail: `stream_error_${type}` });
    }
  });

  it.each([
    ['without an end', start + text('Half'), 'stream_truncated'],
    ['that is empty', start + ends('end_turn'), 'empty_answer'],
  ])('calls a stream %s a fault', (_, stream, detail) => {
    expect(read([stream]).at(-1)).toMatchObject({ kind: 'error', fault: { detail } });
  });
});
