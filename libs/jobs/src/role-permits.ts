import { ConfigError, type Field } from '@starling/config';

const pattern = /^(\d{1,20})=(\d{1,12})$/;

/**
 * A setting that gives roles their own numbers.
 * @throws {ConfigError} naming the role that does not read
 */
export function rolePermitsOf(
  words: readonly string[] | undefined,
  { variable }: Pick<Field<unknown>, 'variable'>,
): ReadonlyMap<string, number> {
  const permits = new Map<string, number>();
  for (const word of words ?? []) {
    const [, role, number] = pattern.exec(word) ?? [];
    if (role === undefined) {
      const problem = 'write each as a role id, =, and a whole number: 123456789012345678=60';
      throw new ConfigError([{ variable, value: word, problem }]);
    }
    permits.set(role, Number(number));
  }
  return permits;
}

/** What somebody with these roles may: the highest of theirs, 0 (no limit) before all; else `otherwise`. */
export function permitsFor(
  roles: readonly string[] | undefined,
  {
    otherwise,
    ofRoles,
  }: { readonly otherwise: number; readonly ofRoles: ReadonlyMap<string, number> },
): number {
  const own = (roles ?? []).flatMap((role) => ofRoles.get(role) ?? []);
  if (own.length === 0) return otherwise;
  return own.includes(0) ? 0 : Math.max(...own);
}
