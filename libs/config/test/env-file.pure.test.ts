import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseEnvText } from '../src/index.ts';

describe('parseEnvText', () => {
  it('reads what people write into such files', () => {
    const text = [
      '\ufeff# Starling',
      'A=1',
      '  export B = two words # why',
      "C='single # kept'",
      'D="first\nsecond"',
      '',
      'E=',
    ].join('\n');
    expect(parseEnvText(text, '.env')).toEqual({
      A: '1',
      B: 'two words',
      C: 'single # kept',
      D: 'first\nsecond',
      E: '',
    });
  });

  it('reads the lines of Windows', () => {
    expect(parseEnvText('A=1\r\nB=2\r\n', '.env')).toEqual({ A: '1', B: '2' });
  });

  it.each([
    ['no equals sign', 'A=1\nDISCORD_TOKEN abc\nB=2', 2, /NAME=value/],
    ['a colon', 'A: 1', 1, /NAME=value/],
    ['a space in the name', 'A B=1', 1, /NAME=value/],
    ['a digit first', '1A=1', 1, /NAME=value/],
    ['an open quotation mark', 'A=1\n\nB="x\nC=2', 3, /quotation mark/],
  ])('names a bad line: %s', (_what, text, line, remedy) => {
    const read = () => parseEnvText(text, '.env');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(new RegExp(`^\\.env:${line}=.*${remedy.source}`, 'm'));
  });

  it('shows nothing of a bad line: it may be a secret', () => {
    expect(() => parseEnvText('DISCORD_TOKEN hush-hush', '.env')).not.toThrow(/hush/);
  });

  it('gives back every value that was written in quotes', () => {
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/);
    const value = fc.string({ unit: fc.constantFrom(...'ab #=:$\n') });
    fc.assert(
      fc.property(fc.dictionary(name, value), (variables) => {
        const text = Object.entries(variables).map(([key, content]) => `${key}='${content}'`);
        expect(parseEnvText(text.join('\n'), '.env')).toEqual(variables);
      }),
    );
  });

  it('either reads a text or names its bad lines', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'A=\'"\n #') }), (text) => {
        try {
          for (const key of Object.keys(parseEnvText(text, '.env'))) expect(key).toMatch(/^A+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
  });
});
