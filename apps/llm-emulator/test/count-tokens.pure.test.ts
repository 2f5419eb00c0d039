import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, splitTokens } from '../src/count-tokens.ts';

describe('countTokens', () => {
  it('joins back to the text, whatever the script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(splitTokens(text).join('')).toBe(text);
      }),
    );
  });

  it('counts English at about four characters a token', () => {
    const text = 'The flock turns as one because each bird follows its seven nearest neighbours.';
    expect(text.length / countTokens(text)).toBeGreaterThan(3.5);
    expect(text.length / countTokens(text)).toBeLessThan(6);
  });

  it('counts nothing for nothing', () => {
    expect(countTokens('')).toBe(0);
  });
});
