import { debianPrograms, type LocateOptions, type ServerProgram } from './debian-programs.ts';
import { HarnessError } from './harness-error.ts';
import { onSearchPath } from './search-path.ts';

/** The servers that the local fleet and the tests run. */
export interface Servers {
  readonly natsServer: ServerProgram;
  readonly redisServer: ServerProgram;
  /** Where they were found. */
  readonly origin: 'path' | 'cache' | 'fetched';
}

/** The one command that installs what is missing, for messages to people. */
export const installCommand =
  'sudo apt-get install -y --no-install-recommends nats-server redis-server';

/** What is unpacked, and where the programs are in it. */
const packages = ['nats-server', 'redis-server', 'redis-tools'];
const programs = { natsServer: 'usr/sbin/nats-server', redisServer: 'usr/bin/redis-server' };

/**
 * Finds `nats-server` and `redis-server`: on `PATH`, else in the cache folder, else, on Debian and
 * Ubuntu, by fetching the packages into that folder: with no root, nothing installed, no service
 * started. Several processes may call it at once; one fetches.
 * @throws {HarnessError} `not_found`, naming the reason and {@link installCommand}
 */
export async function locateServers(options: LocateOptions = {}): Promise<Servers> {
  const [nats, redis] = await Promise.all([
    onSearchPath('nats-server', options.searchPath),
    onSearchPath('redis-server', options.searchPath),
  ]);
  if (nats && redis) {
    return {
      natsServer: { path: nats, env: {} },
      redisServer: { path: redis, env: {} },
      origin: 'path',
    };
  }
  return await fromCache(options);
}

async function fromCache(options: LocateOptions): Promise<Servers> {
  try {
    return await debianPrograms({ packages, programs, versionWord: '--version' }, options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HarnessError(
      'not_found',
      `nats-server and redis-server were not found: ${reason}. This installs them: ${installCommand}`,
      { cause: error },
    );
  }
}
