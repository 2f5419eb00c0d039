/**
 * API keys, of which only hashes are known here. A key is a random secret of its own, so one SHA-256
 * is enough: there is no dictionary to try.
 */
import { hash, timingSafeEqual } from 'node:crypto';

/** A key by its name and its hash. */
export interface ApiKey {
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** More entries than this are refused: each request is compared with all of them. */
export const maxApiKeys = 256;

const entryForm = /^([A-Za-z0-9_.-]{1,64}):([0-9a-fA-F]{64})$/;

/**
 * Reads `name:sha256` entries, separated by commas or lines; what follows `#` is a comment.
 * @returns the keys, or what is wrong, without any entry's text
 */
export function parseApiKeys(
  text: string,
): { readonly keys: readonly ApiKey[] } | { readonly problem: string } {
  const keys: ApiKey[] = [];
  const entries = text
    .split('\n')
    .flatMap((line) => line.replace(/#.*/, '').split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  for (const [index, entry] of entries.entries()) {
    const [, name, hex] = entryForm.exec(entry) ?? [];
    if (name === undefined || hex === undefined) {
      return {
        problem: `entry ${index + 1} is not name:sha256 (a name of letters, digits, "_", "." and "-", then 64 hex digits)`,
      };
    }
    if (keys.some((key) => key.name === name)) {
      return { problem: `the name ${name} stands there twice; give each key a name of its own` };
    }
    keys.push({ name, sha256: Buffer.from(hex, 'hex') });
  }
  return keys.length > maxApiKeys
    ? { problem: `there are ${keys.length} keys; at most ${maxApiKeys} are taken` }
    : { keys };
}

/**
 * The name of the key in an `Authorization: Bearer` header, or undefined. It compares with every key in
 * constant time, so that neither a match nor its place shows in how long it takes.
 */
export function callerOf(
  authorization: string | undefined,
  keys: readonly ApiKey[],
): string | undefined {
  const [, presented] = /^Bearer +(\S{1,512})$/i.exec(authorization ?? '') ?? [];
  if (presented === undefined) return undefined;
  const digest = hash('sha256', presented, 'buffer');
  let caller: string | undefined;
  for (const { name, sha256 } of keys) {
    if (timingSafeEqual(digest, sha256)) caller = name;
  }
  return caller;
}
