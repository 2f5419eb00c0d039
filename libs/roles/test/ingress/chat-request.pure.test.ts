import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChatRequest } from '../../src/ingress/chat-request.ts';

const limits = { defaultCompletionTokens: 1_024, maxCompletionTokens: 2_000 };
const messages = [{ role: 'user', content: 'Hi' }];

const parse = (body: unknown) =>
  parseChatRequest(typeof body === 'string' ? body : JSON.stringify(body), limits);

/** The request of a body with these changes to a good one. */
function requestOf(changes: object = {}) {
  const parsed = parse({ model: 'm', messages, ...changes });
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  return parsed.request;
}

/** The problem of a body with these changes to a good one. */
function problemOf(changes: object) {
  const parsed = parse({ model: 'm', messages, ...changes });
  if ('request' in parsed) throw new Error('it was taken');
  return parsed.problem;
}

describe('a request for a chat completion', () => {
  it('needs a model and messages only', () => {
    expect(requestOf()).toEqual({
      model: 'm',
      messages,
      maxCompletionTokens: 1_024,
      sampling: undefined,
      stream: false,
      includeUsage: false,
      lane: 'interactive',
      serviceTier: undefined,
      shares: false,
      tokenEstimate: 1_025,
    });
  });

  it('takes null for what is left out, as clients send it', () => {
    const nothing = {
      ...{ temperature: null, top_p: null, stop: null, seed: null, max_tokens: null, n: null },
      ...{ max_completion_tokens: null, stream: null, stream_options: null, tools: null },
      ...{ service_tier: null, response_format: null, logprobs: null, frequency_penalty: null },
    };
    expect(requestOf(nothing)).toEqual(requestOf());
  });

  it('brings how the words are to be drawn', () => {
    const fields = { temperature: 0, top_p: 1, frequency_penalty: -2, presence_penalty: 2 };
    expect(requestOf({ ...fields, seed: -1, stop: 'END' }).sampling).toEqual({
      ...{ temperature: 0, topP: 1, frequencyPenalty: -2, presencePenalty: 2 },
      ...{ seed: -1, stop: ['END'] },
    });
    expect(requestOf({ stop: ['a', 'b'] }).sampling).toEqual({ stop: ['a', 'b'] });
    expect(requestOf({ stop: [] }).sampling).toBeUndefined();
  });

  it('takes either name for the length, the newer one first', () => {
    expect(requestOf({ max_tokens: 5 }).maxCompletionTokens).toBe(5);
    expect(requestOf({ max_tokens: 5, max_completion_tokens: 6 }).maxCompletionTokens).toBe(6);
  });

  it.each([
    ['flex', 'batch', 'flex'],
    ['auto', 'interactive', 'default'],
    ['default', 'interactive', 'default'],
    ['priority', 'interactive', 'default'],
  ])('goes with service_tier %s to the %s lane [B6]', (service_tier, lane, serviceTier) => {
    expect(requestOf({ service_tier })).toMatchObject({ lane, serviceTier });
  });

  it('reads text in parts, and `developer` as `system`', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    const said = [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: parts, name: 'ann' },
    ];
    expect(requestOf({ messages: said }).messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'a\nb' },
    ]);
  });

  it('ignores what does not change the answer', () => {
    expect(
      requestOf({ user: 'u', metadata: { a: 'b' }, store: true, n: 1, tools: [], logprobs: false }),
    ).toEqual(requestOf());
  });

  it.each([
    ['model', undefined, 'missing_required_parameter', /GET \/v1\/models/],
    ['model', '', 'invalid_value', /model is "": name one/],
    ['model', 7, 'invalid_value', /model is 7/],
    ['model', 'x'.repeat(201), 'invalid_value', /model is "x{79}…/],
    ['messages', undefined, 'missing_required_parameter', /give 1 to 200 messages/],
    ['messages', 'Hi', 'invalid_value', /messages is "Hi"/],
    ['messages', [], 'invalid_value', /"0 messages"/],
    ['messages', Array(201).fill(messages[0]), 'invalid_value', /"201 messages"/],
    ['messages', [{ role: 'user', content: ' ' }], 'invalid_value', /have no text/],
    ['temperature', 2.1, 'invalid_value', /temperature is 2\.1: set it to a number from 0 to 2/],
    ['temperature', '1', 'invalid_value', /temperature is "1"/],
    ['top_p', -0.1, 'invalid_value', /from 0 to 1, or leave it out/],
    ['frequency_penalty', 3, 'invalid_value', /from -2 to 2/],
    ['presence_penalty', {}, 'invalid_value', /presence_penalty is \{\}/],
    ['seed', 1.5, 'invalid_value', /seed is 1\.5: set it to a whole number/],
    ['stop', ['a', 'b', 'c', 'd', 'e'], 'invalid_value', /up to 4/],
    ['stop', [''], 'invalid_value', /stop is \[""\]/],
    ['stop', 'x'.repeat(201), 'invalid_value', /1 to 200 characters/],
    ['max_tokens', 0, 'invalid_value', /max_tokens is 0: set it to a whole number, 1 to 2000/],
    ['max_tokens', 2_001, 'invalid_value', /1 to 2000/],
    ['max_completion_tokens', 1.5, 'invalid_value', /max_completion_tokens is 1\.5/],
    ['stream', 'yes', 'invalid_value', /stream is "yes": set it to true or false/],
    ['stream_options', { include_usage: true }, 'invalid_value', /together with "stream": true/],
    ['service_tier', 'gold', 'invalid_value', /auto, default, priority or flex/],
    ['n', 2, 'unsupported_parameter', /n is 2: one answer/],
    ['tools', [{ type: 'function' }], 'unsupported_parameter', /calls no tools; leave it out/],
    ['functions', [{}], 'unsupported_parameter', /leave it out/],
    ['tool_choice', 'required', 'unsupported_parameter', /leave it out/],
    ['response_format', { type: 'json_object' }, 'unsupported_parameter', /answers are text/],
    ['logprobs', true, 'unsupported_parameter', /leave it out/],
    ['top_logprobs', 3, 'unsupported_parameter', /leave it out/],
    ['logit_bias', { 50256: -100 }, 'unsupported_parameter', /leave it out/],
    ['audio', { voice: 'x' }, 'unsupported_parameter', /answers are text/],
    ['modalities', ['text', 'audio'], 'unsupported_parameter', /answers are text/],
  ])('says what is wrong with %s = %j: name, value, remedy', (param, value, code, remedy) => {
    const problem = problemOf({ [param]: value });
    expect(problem).toMatchObject({ status: 400, code, param, retry: false });
    expect(problem.message).toContain(param);
    expect(problem.message).toMatch(remedy);
  });

  it.each([
    [null, 'messages[1]', 'invalid_value'],
    [{ content: 'x' }, 'messages[1].role', 'invalid_value'],
    [{ role: 'constructor', content: 'x' }, 'messages[1].role', 'invalid_value'],
    [{ role: 'tool', content: 'x' }, 'messages[1].role', 'unsupported_parameter'],
    [{ role: 'assistant', tool_calls: [{}] }, 'messages[1].role', 'unsupported_parameter'],
    [{ role: 'user' }, 'messages[1].content', 'invalid_value'],
    [{ role: 'user', content: null }, 'messages[1].content', 'invalid_value'],
    [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] },
      'messages[1].content[0]',
      'unsupported_parameter',
    ],
    [
      { role: 'user', content: [{ type: 'text' }] },
      'messages[1].content[0]',
      'unsupported_parameter',
    ],
  ])('says which message is wrong: %j', (message, param, code) => {
    expect(problemOf({ messages: [...messages, message] })).toMatchObject({ param, code });
  });

  it('bounds the bytes of the messages, as a job must hold them', () => {
    const chunk = 'ü'.repeat(60_000);
    expect(requestOf({ messages: [{ role: 'user', content: chunk }] }).messages).toHaveLength(1);
    const problem = problemOf({ messages: Array(3).fill({ role: 'user', content: chunk }) });
    expect(problem).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
    expect(problem.message).toMatch(/have 36\d{4} bytes: send at most 253952/);
  });

  it.each(['', '{', '[1]', 'null', '"text"'])('is an object of JSON: %j is none', (text) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ problem: { status: 400, code: 'invalid_json' } });
  });

  it('never throws, whatever arrives', () => {
    const value = fc.jsonValue();
    const record = fc.record(
      {
        model: fc.oneof(fc.constant('m'), value),
        messages: fc.oneof(fc.constant(messages), fc.array(value), value),
        temperature: value,
        stop: value,
        stream: value,
        stream_options: value,
        max_tokens: value,
        tools: value,
        service_tier: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(record, (body) => {
        const parsed = parse(body);
        expect('request' in parsed || parsed.problem.status === 400).toBe(true);
      }),
    );
  });
});
