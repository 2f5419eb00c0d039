import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from '../src/arguments.ts';

const options = {
  json: { type: 'boolean', doc: '' },
  seconds: { type: 'string', doc: '' },
} as const;

describe('a command line', () => {
  it('gives words, flags and bounded integers', () => {
    const parsed = parseArguments(['hello', '--json', '--seconds', '20', 'there'], options);
    expect(parsed.words).toEqual(['hello', 'there']);
    expect(parsed.flag('json')).toBe(true);
    expect(parsed.integer('seconds', { min: 1, max: 60 })).toBe(20);
    expect(parsed.text('json')).toBeUndefined();
  });

  it.each(['0', '61', '1.5', 'many', ''])(
    'names the option, the value %j and the remedy',
    (value) => {
      const parsed = parseArguments([`--seconds=${value}`], options);
      expect(() => parsed.integer('seconds', { min: 1, max: 60 })).toThrow(
        `--seconds ${value}: give a whole number from 1 to 60`,
      );
    },
  );

  it('reads a time, and says how one is written', () => {
    const read = (value: string) => parseArguments([`--seconds=${value}`], options);
    expect(['250ms', '2s', '0s'].map((value) => read(value).duration('seconds'))).toEqual([
      250, 2_000, 0,
    ]);
    expect(parseArguments([], options).duration('seconds')).toBeUndefined();
    for (const value of ['2', '1.5s', '-1s', 's', '1m']) {
      expect(() => read(value).duration('seconds')).toThrow(
        `--seconds ${value}: give a time, as 250ms or 2s`,
      );
    }
  });

  it('names an unknown option and the known ones', () => {
    expect(() => parseArguments(['--jsn'], options)).toThrow(UsageError);
    expect(() => parseArguments(['--jsn'], options)).toThrow(/--jsn.*--json, --seconds/);
  });
});
