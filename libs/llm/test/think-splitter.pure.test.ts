import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThinkSplitter } from '../src/think-splitter.ts';

function split(pieces: readonly string[]) {
  const splitter = new ThinkSplitter();
  const parts = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()];
  const join = (kind: string) =>
    parts
      .filter((part) => part.kind === kind)
      .map((part) => part.text)
      .join('');
  return { text: join('text'), reasoning: join('reasoning') };
}

const pieces = (text: string, cuts: readonly number[]) => {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [...places, text.length].map((end, index) => text.slice(places[index - 1] ?? 0, end));
};

describe('ThinkSplitter', () => {
  it.each([
    ['<think>hm < 3</th oops</think>\n\nAnswer', 'Answer', 'hm < 3</th oops'],
    ['  \n<think></think>Answer', 'Answer', ''],
    ['<think>one</think> <think>two</think>Answer', 'Answer', 'onetwo'],
    ['<thin air', '<thin air', ''],
    ['What does <think>this</think> mean?', 'What does <think>this</think> mean?', ''],
    ['<think>never closed', '', 'never closed'],
    ['plain', 'plain', ''],
    ['', '', ''],
    ['   ', '', ''],
  ])('%j reads as %j however it is cut [F9]', (whole, text, reasoning) => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { maxLength: 12 }), (cuts) => {
        expect(split(pieces(whole, cuts))).toEqual({ text, reasoning });
      }),
    );
  });

  it('passes an answer on at once, not at its end', () => {
    expect(new ThinkSplitter().push('Hello')).toEqual([{ kind: 'text', text: 'Hello' }]);
  });
});
