import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicDialect } from '../src/dialects/anthropic.ts';
import type { Dialect } from '../src/dialects/dialect.ts';
import { ollamaDialect } from '../src/dialects/ollama.ts';
import { openaiDialect } from '../src/dialects/openai.ts';
import { applyFault } from '../src/faults/apply-fault.ts';
import { type Fault, faultSchema } from '../src/faults/fault.ts';
import { insertAfter } from '../src/faults/insert-after.ts';
import { type BytesStep, bodySteps, type Step } from '../src/reply-steps.ts';

const isBytes = (step: Step): step is BytesStep => step.kind === 'bytes';
const bytesOf = (steps: Iterable<Step>) =>
  Buffer.concat([...steps].filter(isBytes).map(({ data }) => Buffer.from(data)));
const body = (text: string, tokens: number) =>
  bodySteps({ afterMs: 0, status: 200, headers: {}, body: text, tokens });
const faultOf = (input: { kind: string; [field: string]: unknown }): Fault =>
  faultSchema.parse(input);
const whole = (dialect: Dialect, answerTokens: number) => ({
  encoder: undefined,
  answerTokens,
  errorBody: dialect.errorBody,
  limitHeaders: (limits: Parameters<Dialect['limitHeaders']>[0]) => dialect.limitHeaders(limits, 0),
});

describe('insertAfter', () => {
  it('loses no byte and no token of a body, wherever it is divided', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 2, maxLength: 100 }),
        fc.nat(30),
        fc.nat(40),
        (text, tokens, count) => {
          const steps = [
            ...insertAfter(body(text, tokens), count, () => [{ kind: 'wait', ms: 5 }]),
          ];
          expect(bytesOf(steps).toString()).toBe(Buffer.from(text).toString());
          const sent = steps.filter(isBytes).reduce((sum, step) => sum + step.tokens, 0);
          expect(sent).toBe(tokens);
          const kinds = steps.map(({ kind }) => kind);
          expect(kinds.slice(kinds.indexOf('head'))).toEqual([
            'head',
            'bytes',
            'wait',
            'bytes',
            'end',
          ]);
        },
      ),
    );
  });

  it('strikes a stream right behind the token it was told', () => {
    const frames: Step[] = ['a', 'b', 'c'].map((data) => ({
      kind: 'bytes',
      data,
      tokens: 1,
      role: 'frame',
    }));
    const at = (count: number) =>
      [...insertAfter(frames, count, () => [{ kind: 'cut' }], 'drop')].map((step) =>
        isBytes(step) ? step.data : step.kind,
      );
    expect(at(0)).toEqual(['cut']);
    expect(at(2)).toEqual(['a', 'b', 'cut']);
    expect(at(3)).toEqual(['a', 'b', 'c', 'cut']);
  });
});

describe('applyFault', () => {
  it('drips every byte of a body, dividing characters', () => {
    const text = '{"content":"Grüße, 🐦"}';
    const fault = faultOf({ kind: 'slow-drip', bytesPerWrite: 3, gapMs: 7 });
    const steps = [...applyFault(body(text, 4), fault, whole(openaiDialect, 4))];
    expect(bytesOf(steps).toString()).toBe(text);
    expect(steps.filter(isBytes).every(({ data }) => Buffer.byteLength(data) <= 3)).toBe(true);
    expect(steps.filter(isBytes).reduce((sum, step) => sum + step.tokens, 0)).toBe(4);
  });

  it('tells limits in the words of each provider', () => {
    const fault = faultOf({
      kind: 'status',
      status: 429,
      retryAfterS: 3,
      limits: { tokens: { limit: 1000, remaining: 0, resetS: 3 } },
    });
    const headersOf = (dialect: Dialect) => {
      const [, head] = [...applyFault([], fault, whole(dialect, 0))];
      return head?.kind === 'head' ? head.headers : {};
    };
    expect(headersOf(openaiDialect)).toMatchObject({
      'retry-after': '3',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '3s',
    });
    expect(headersOf(anthropicDialect)).toMatchObject({
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '1970-01-01T00:00:03.000Z',
    });
    expect(headersOf(ollamaDialect)).toMatchObject({ 'retry-after': '3' });
  });

  it('takes the length away from a body that it makes longer', () => {
    const fault = faultOf({ kind: 'huge-chunk', bytes: 1000 });
    const steps = [...applyFault(body('{}', 1), fault, whole(openaiDialect, 1))];
    expect(JSON.parse(bytesOf(steps).toString())).toEqual({});
    expect(bytesOf(steps)).toHaveLength(1002);
    const head = steps.find(({ kind }) => kind === 'head');
    expect(head).not.toHaveProperty(['headers', 'content-length']);
  });
});
