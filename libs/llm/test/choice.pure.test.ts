import { systemClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { chooseSize } from '../src/choice/choose-size.ts';
import { answerOf } from '../src/testing.ts';
import {
  complexPrompts,
  laterComplexPrompts,
  laterSimplePrompts,
  simplePrompts,
} from './choice-prompts.ts';
import { LadderBench } from './ladder-bench.ts';

const sizeOf = (content: string) => chooseSize([{ role: 'user', content }]).size;

describe('the choice of a model', () => {
  it('is right for 90 % of 200 labelled questions, of either kind [C7]', () => {
    expect(simplePrompts).toHaveLength(100);
    expect(complexPrompts).toHaveLength(100);
    const wrong = {
      simple: simplePrompts.filter((prompt) => sizeOf(prompt) !== 'simple'),
      complex: complexPrompts.filter((prompt) => sizeOf(prompt) !== 'complex'),
    };
    expect(wrong.simple.length, wrong.simple.join('\n')).toBeLessThanOrEqual(10);
    expect(wrong.complex.length, wrong.complex.join('\n')).toBeLessThanOrEqual(10);
  });

  it('is right for 90 % of further ones that the rules were not written for [C7]', () => {
    const wrong = [
      ...laterSimplePrompts.filter((prompt) => sizeOf(prompt) !== 'simple'),
      ...laterComplexPrompts.filter((prompt) => sizeOf(prompt) !== 'complex'),
    ];
    const all = laterSimplePrompts.length + laterComplexPrompts.length;
    expect(wrong.length / all, wrong.join('\n')).toBeLessThanOrEqual(0.1);
  });

  it('goes by what was asked last [C7]', () => {
    const messages = [
      { role: 'system' as const, content: 'Explain everything step by step. '.repeat(50) },
      { role: 'user' as const, content: 'Compare Kant and Hume in detail.' },
      { role: 'assistant' as const, content: 'A long answer. '.repeat(50) },
      { role: 'user' as const, content: 'thanks!' },
    ];
    expect(chooseSize(messages)).toEqual({ size: 'simple', rule: 'small-talk' });
    expect(chooseSize([])).toEqual({ size: 'simple', rule: 'brief' });
    const odd = [
      { role: 'user' as const, content: 'my neighbour plays the drums at night, every night' },
    ];
    expect(chooseSize(odd)).toEqual({ size: 'complex', rule: 'nothing-else' });
  });

  it('is quick whatever was written [C7]', () => {
    const startedAtMs = systemClock.monotonicMs();
    for (const text of ['a', '(', '1 ', '?', 'write ', '\n']) sizeOf(text.repeat(100_000));
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(200);
  });

  it('is made when a job names no model, and says its rule and what it saved [C7] [C8]', async () => {
    const price = (perMillion: number) => ({
      ...{ promptPerMillion: perMillion, completionPerMillion: perMillion },
    });
    const script = () => answerOf('Hi');
    const bench = new LadderBench([[{ model: 'small', price: price(100_000), script }]], {
      choice: {
        ...{ simple: 'chat', complex: 'large' },
        large: [[{ model: 'large', price: price(1_000_000), script }]],
      },
    });
    // Three LLM tokens of prompt and one of answer.
    expect((await bench.ask()).at(-1)).toMatchObject({ costUsd: 0.4, savedUsd: 3.6 });
    expect(bench.choices).toEqual([{ size: 'simple', rule: 'small-talk', model: 'chat' }]);
    const large = await bench.ask({ question: 'Explain how tides work' });
    expect(large.at(-1)).toMatchObject({ provider: 'large-house', costUsd: 4 });
    expect(large.at(-1)).not.toHaveProperty('savedUsd');
    expect(bench.choices.at(-1)).toEqual({ size: 'complex', rule: 'work', model: 'large' });
    await bench.ask({ model: 'large' });
    expect(bench.choices).toHaveLength(2);
  });
});
