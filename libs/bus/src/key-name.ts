import { assertPattern, assertSubject } from './subject.ts';

/**
 * Checks a key of a bucket (NATS ADR-8): tokens between dots, of letters, digits and `-/=_`.
 * @throws {TypeError} a programmer's error: keys are built from ids that were parsed
 */
export function assertKey(key: string): void {
  assertSubject(key);
  if (!/^[-/=.\w]+$/.test(key)) throw new TypeError(`"${key}" is no key of a bucket`);
}

/**
 * Checks a pattern of keys: as {@link assertKey}, with the wildcards of a subject.
 * @throws {TypeError}
 */
export function assertKeyPattern(pattern: string): void {
  assertPattern(pattern);
  if (!/^[-/=.\w*>]+$/.test(pattern)) throw new TypeError(`"${pattern}" is no pattern of keys`);
}
