import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { ConfigError, type ConfigProblem, field, parseConfig, type Section } from '../src/index.ts';

const section = {
  drainMs: field.integer('DRAIN_MS', {
    default: 10,
    min: 0,
    max: 100,
    unit: 'milliseconds',
    doc: 'd',
  }),
  name: field.text('NAME', {
    default: 'bot',
    pattern: /^[a-z]+$/,
    accepts: 'lower case',
    doc: 'd',
  }),
  key: field.text('KEY', { default: undefined, pattern: /^k/, secret: true, doc: 'd' }),
  mode: field.oneOf('MODE', { default: 'local', values: ['local', 'fleet'], doc: 'd' }),
  loud: field.flag('LOUD', { default: false, doc: 'd' }),
  words: field.words('WORDS', {
    default: undefined,
    max: 2,
    maxLength: 5,
    accepts: 'words',
    doc: 'd',
  }),
  server: field.url('SERVER', { default: undefined, protocols: ['nats:', 'tls:'], doc: 'd' }),
} as const;

/** The problems that an environment has. */
function problemsOf(environment: Record<string, string>): readonly ConfigProblem[] {
  try {
    parseConfig(section, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('gives the defaults for an empty environment, and for empty variables', () => {
    const defaults = {
      drainMs: 10,
      name: 'bot',
      key: undefined,
      mode: 'local',
      loud: false,
      words: undefined,
      server: undefined,
    };
    expect(parseConfig(section, {})).toEqual(defaults);
    expect(parseConfig(section, { DRAIN_MS: '', NAME: '  ', LOUD: '' })).toEqual(defaults);
  });

  it('reads every kind of setting, typed', () => {
    const config = parseConfig(section, {
      DRAIN_MS: ' 42 ',
      NAME: 'worker',
      KEY: 'k1',
      MODE: 'fleet',
      LOUD: 'true',
      SERVER: 'nats://a:4222/',
    });
    expect(config).toEqual({
      drainMs: 42,
      name: 'worker',
      key: 'k1',
      mode: 'fleet',
      loud: true,
      server: 'nats://a:4222',
    });
    expectTypeOf(config.mode).toEqualTypeOf<'local' | 'fleet'>();
    expectTypeOf(config.key).toEqualTypeOf<string | undefined>();
  });

  it('is frozen', () => {
    const config = parseConfig(section, {});
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { drainMs: 1 })).toThrow(TypeError);
  });

  it.each([
    [
      'DRAIN_MS',
      '101',
      'set it to a whole number (milliseconds, 0 to 100), or leave it out for 10',
    ],
    ['NAME', 'Bot!', 'set it to lower case'],
    ['MODE', 'cloud', 'set it to one of local, fleet'],
    ['LOUD', 'yes', 'set it to true or false'],
    ['SERVER', 'http://a', 'set it to a URL (nats://, tls://)'],
  ])('names variable, value and remedy: %s=%s', (variable, value, problem) => {
    expect(problemsOf({ [variable]: value })).toEqual([{ variable, value, problem }]);
  });

  it('tells all problems at once', () => {
    const problems = problemsOf({ DRAIN_MS: 'x', MODE: 'x', LOUD: 'x' });
    expect(problems.map(({ variable }) => variable)).toEqual(['DRAIN_MS', 'MODE', 'LOUD']);
    expect(new ConfigError(problems).message.split('\n')).toHaveLength(3);
  });

  it('shows no secret and no password', () => {
    const shown = JSON.stringify([
      problemsOf({ KEY: 'hush' }),
      problemsOf({ SERVER: 'http://user:hush@a' }),
    ]);
    expect(shown).not.toContain('hush');
    expect(shown).toContain('http://(hidden)@a');
  });

  it('takes every whole number within the bounds, and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -50, max: 150 }).map(String), fc.string()), (text) => {
        const trimmed = text.trim();
        const isWhole = /^-?\d+$/.test(trimmed);
        const good = trimmed === '' || (isWhole && Number(trimmed) >= 0 && Number(trimmed) <= 100);
        expect(problemsOf({ DRAIN_MS: text })).toHaveLength(good ? 0 : 1);
      }),
    );
  });

  it('never gives a value outside of its bounds, whatever the environment', () => {
    const variables = Object.values(section satisfies Section).map(({ variable }) => variable);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...variables), fc.string()), (environment) => {
        if (problemsOf(environment).length > 0) return;
        const config = parseConfig(section, environment);
        expect(config.drainMs).toSatisfy((ms: number) => ms >= 0 && ms <= 100);
        expect(['local', 'fleet']).toContain(config.mode);
      }),
    );
  });
});
