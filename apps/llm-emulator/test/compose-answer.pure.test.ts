import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeAnswer } from '../src/compose-answer.ts';
import { countTokens } from '../src/count-tokens.ts';
import { modelOf, requestOf } from './build-request.ts';

const textOf = (tokens: ReturnType<typeof composeAnswer>, part = 'text') =>
  tokens
    .filter((token) => token.part === part)
    .map(({ text }) => text)
    .join('');

describe('composeAnswer', () => {
  it('gives the same request the same words and another one others', () => {
    const model = modelOf();
    const once = textOf(composeAnswer(requestOf('How do starlings fly?'), model));
    expect(textOf(composeAnswer(requestOf('How do starlings fly?'), model))).toBe(once);
    expect(textOf(composeAnswer(requestOf('How do robins fly?'), model))).not.toBe(once);
    const other = requestOf('How do starlings fly?', { model: 'other' });
    expect(textOf(composeAnswer(other, model))).not.toBe(once);
  });

  it('says plainly, and first, that it is simulated', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (question) => {
        const text = textOf(composeAnswer(requestOf(question), modelOf()));
        expect(text.startsWith('Simulated answer')).toBe(true);
      }),
    );
  });

  it('has exactly the length that was ordered, counted token by token or whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.boolean(), (length, markdown) => {
        const order = `Tell me. [[tokens:${length}]]${markdown ? ' [[markdown]]' : ''}`;
        const tokens = composeAnswer(requestOf(order), modelOf());
        expect(tokens).toHaveLength(length);
        expect(countTokens(textOf(tokens))).toBe(length);
      }),
      { numRuns: 50 },
    );
  });

  it('writes headings, lists and fenced code when Markdown was ordered', () => {
    const text = textOf(composeAnswer(requestOf('[[markdown]] [[tokens:400]]'), modelOf()));
    expect(text).toMatch(/^## Step/m);
    expect(text).toMatch(/^- \*\*First\*\*/m);
    expect(text).toMatch(/```ts\n[\s\S]+?\n```/);
  });

  it('repeats what would ping, as a model may', () => {
    const text = textOf(composeAnswer(requestOf('@everyone! [[tokens:400]]'), modelOf()));
    expect(text).toContain('about @everyone');
  });

  it('reasons first when ordered, asked, or by nature, and not when told not to', () => {
    const reasoner = modelOf({ reasoningTokens: 12 });
    const thoughts = (question: string, reasoning: boolean | undefined, model = modelOf()) =>
      composeAnswer(requestOf(question, { reasoning }), model).filter(
        ({ part }) => part === 'reasoning',
      ).length;
    expect(thoughts('[[think:7]]', undefined)).toBe(7);
    expect(thoughts('[[think]]', undefined)).toBe(40);
    expect(thoughts('why', true)).toBe(40);
    expect(thoughts('why', undefined)).toBe(0);
    expect(thoughts('why', undefined, reasoner)).toBe(12);
    expect(thoughts('why', false, reasoner)).toBe(0);
  });

  it('puts reasoning inside the text for servers that do not part it', () => {
    const inline = modelOf({ reasoningStyle: 'inline' });
    const tokens = composeAnswer(requestOf('[[think:9]] [[tokens:20]]'), inline);
    const text = textOf(tokens);
    expect(text).toMatch(/^<think>Simulated reasoning[\s\S]+<\/think>\n\nSimulated answer/);
    expect(countTokens(text)).toBe(tokens.length);
  });

  it('obeys the last message of the user only', () => {
    const { messages } = requestOf('[[tokens:5]]');
    const request = requestOf('x');
    const later = { ...request, messages: [...messages, { role: 'user', text: '[[tokens:9]]' }] };
    expect(composeAnswer(later, modelOf())).toHaveLength(9);
  });
});
