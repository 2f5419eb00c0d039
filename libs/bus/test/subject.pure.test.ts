import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertPattern, assertSubject, subjectMatches } from '../src/subject.ts';

describe('subjects', () => {
  it.each([
    ['load.w1', 'load.w1', true],
    ['load.w1', 'load.*', true],
    ['load.w1.x', 'load.*', false],
    ['load', 'load.*', false],
    ['frames.c0.7.1', 'frames.c0.>', true],
    ['frames.c0', 'frames.c0.>', false],
    ['frames.c0.7.1', 'frames.*.7.*', true],
    ['frames.c0.8.1', 'frames.*.7.*', false],
    ['a', '>', true],
  ])('%s on %s: %s', (subject, pattern, matches) => {
    expect(subjectMatches(subject, pattern)).toBe(matches);
  });

  it('matches each subject with itself and with a star for any of its tokens', () => {
    const token = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 6 }), fc.nat(), (tokens, at) => {
        const starred = tokens.map((one, index) => (index === at % tokens.length ? '*' : one));
        const subject = tokens.join('.');
        return subjectMatches(subject, subject) && subjectMatches(subject, starred.join('.'));
      }),
    );
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a\r\nb', 'a.*', 'a.>', 'x'.repeat(2000)])(
    'refuses to send to %j',
    (subject) => expect(() => assertSubject(subject)).toThrow(TypeError),
  );

  it('sends to what can be listened on and has no token that is a wildcard', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '.', '*', '>', ' ', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(text, (subject) => {
        const wild = subject.split('.').some((token) => token === '*' || token === '>');
        expect(passes(() => assertSubject(subject))).toBe(
          passes(() => assertPattern(subject)) && !wild,
        );
      }),
    );
  });

  it.each(['', 'a..b', '>.a', 'a b'])('refuses to listen on %j', (pattern) => {
    expect(() => assertPattern(pattern)).toThrow(TypeError);
  });
});

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
