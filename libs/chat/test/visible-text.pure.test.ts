import { describe, expect, it } from 'vitest';
import { withoutThoughts } from '../src/visible-text.ts';

const shut = (answer: string) => withoutThoughts(answer, { open: false });
const open = (answer: string) => withoutThoughts(answer, { open: true });

describe('withoutThoughts', () => {
  it('hides what a model thinks aloud [F9]', () => {
    expect(shut('<think>secret\nplan</think>\n\nThe answer.')).toBe('The answer.');
    expect(shut('First.\n<thinking>hm</thinking>Second.')).toBe('First.\nSecond.');
    expect(shut('<think>never ends')).toBe('');
  });

  it('hides a thought while it streams, from the first letter of its tag on [F9]', () => {
    const answer = '<think>secret</think>Hello';
    for (let length = 1; length <= answer.length; length++) {
      expect('Hello'.startsWith(open(answer.slice(0, length)))).toBe(true);
    }
    expect(open(answer)).toBe('Hello');
  });

  it('leaves talk about the tag alone', () => {
    expect(shut('Models write <think> before they answer.')).toBe(
      'Models write <think> before they answer.',
    );
    expect(shut('a <')).toBe('a <');
    expect(shut('line\n<')).toBe('line\n<');
  });
});
