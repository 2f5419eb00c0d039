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

  it('names an unknown option and the known ones', () => {
    expect(() => parseArguments(['--jsn'], options)).toThrow(UsageError);
    expect(() => parseArguments(['--jsn'], options)).toThrow(/--jsn.*--json, --seconds/);
  });
});
