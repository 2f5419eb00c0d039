import { createHash } from 'node:crypto';
import type { RedisConnection, RedisReply } from './redis-connection.ts';
import { RedisError } from './redis-error.ts';

/** A Lua script as source: one a file, its KEYS, ARGV and returns named in its header. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** How many of its arguments are keys; absent: as many as a call has. */
  readonly keys?: number;
}

/**
 * Runs a script.
 * @throws {TypeError} when the number of keys is not the script's: a programmer's error
 * @throws {RedisError}
 */
export type LoadedScript = (
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<RedisReply>;

/**
 * A script that is sent by its hash. A server that does not know it (a new one, or after SCRIPT
 * FLUSH) is given the source with the same call, which it keeps (redis.io/commands/evalsha).
 */
export function loadScript(connection: RedisConnection, script: Script): LoadedScript {
  const hash = createHash('sha1').update(script.lua).digest('hex');
  return async (keys, args) => {
    if (script.keys !== undefined && keys.length !== script.keys) {
      throw new TypeError(`${script.name} takes ${script.keys} keys, not ${keys.length}`);
    }
    try {
      return await connection.command('EVALSHA', hash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return await connection.command('EVAL', script.lua, keys.length, ...keys, ...args);
    }
  };
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof RedisError && error.code === 'rejected' && /NOSCRIPT/.test(error.message);
}
