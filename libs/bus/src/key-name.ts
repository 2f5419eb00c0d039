import { assertSubject } from './subject.ts';

/**
 * Checks a key of a bucket (NATS ADR-8): tokens between dots, of letters, digits and `-/=_`.
 * @throws {TypeError} a programmer's error: keys are built from ids that were parsed
 */
export function assertKey(key: string): void {
  assertSubject(key);
  if (!/^[-/=.\w]+$/.test(key)) throw new TypeError(`"${key}" is no key of a bucket`);
}
