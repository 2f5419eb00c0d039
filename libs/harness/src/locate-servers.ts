import { access, constants, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, deadlineAfter, systemClock } from '@starling/clock';
import { debianRelease, fetchPackages, libraryPaths } from './debian-packages.ts';
import { baseEnvironment, networkEnvironment, serverCacheDir } from './environment.ts';
import { HarnessError } from './harness-error.ts';
import { runCommand } from './run-command.ts';
import { cachedFolder } from './server-cache.ts';

/** A program that runs here, with the environment it needs on top of the usual one. */
export interface ServerProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

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

/** How {@link locateServers} looks; each has a default that serves. */
export interface LocateOptions {
  /** Folders with programs, as in `PATH`. */
  readonly searchPath?: string;
  readonly cacheDir?: string;
  /** More options for APT. */
  readonly aptOptions?: readonly string[];
  /** One line for a person about what is being done. */
  readonly onProgress?: (line: string) => void;
  /** Fetching and waiting for another process's fetch together; default 10 minutes. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** Debian puts `nats-server` here, which is not on an ordinary user's `PATH`. */
const moreSearchDirs = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

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
  const searchPath = options.searchPath ?? baseEnvironment().PATH ?? '';
  const dirs = [
    ...searchPath.split(':').filter(Boolean),
    ...(options.searchPath === undefined ? moreSearchDirs : []),
  ];
  const [nats, redis] = await Promise.all([
    firstExecutable(dirs, 'nats-server'),
    firstExecutable(dirs, 'redis-server'),
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
  const { onProgress = () => {}, clock = systemClock, timeoutMs = 600_000 } = options;
  const release = await debianRelease();
  if (release === undefined) {
    throw notFound('this system is neither Debian nor Ubuntu, so they cannot be fetched');
  }
  using deadline = deadlineAfter(clock, timeoutMs);
  let origin: Servers['origin'] = 'cache';
  try {
    const folder = await cachedFolder({
      cacheDir: options.cacheDir ?? serverCacheDir(),
      entry: `${release}-${process.arch}`,
      clock,
      signal: deadline.signal,
      onWaiting: () => onProgress('waiting for another process that fetches the servers'),
      async fill(workDir) {
        origin = 'fetched';
        await fetchPackages(
          {
            workDir,
            env: networkEnvironment(),
            aptOptions: options.aptOptions ?? [],
            onProgress,
            signal: deadline.signal,
          },
          { packages, programs: Object.values(programs) },
        );
        await programsIn(workDir);
        for (const used of ['debs', 'apt']) {
          await rm(join(workDir, used), { recursive: true, force: true });
        }
      },
    });
    return { ...(await programsIn(folder)), origin };
  } catch (error) {
    throw notFound(error instanceof Error ? error.message : String(error), error);
  }
}

/** The programs of a filled folder, each tried once: a folder that cannot run them is no use. */
async function programsIn(folder: string): Promise<Omit<Servers, 'origin'>> {
  const root = join(folder, 'root');
  const libraries = (await libraryPaths(root)).join(':');
  const env: Record<string, string> = libraries === '' ? {} : { LD_LIBRARY_PATH: libraries };
  const program = async (path: string): Promise<ServerProgram> => {
    const found = { path: join(root, path), env };
    const { code, output } = await runCommand(found.path, ['--version'], {
      env: { ...baseEnvironment(), ...env },
    });
    if (code !== 0)
      throw new Error(`${found.path} does not run (remove ${folder}): ${output.trim()}`);
    return found;
  };
  return {
    natsServer: await program(programs.natsServer),
    redisServer: await program(programs.redisServer),
  };
}

async function firstExecutable(dirs: readonly string[], name: string): Promise<string | undefined> {
  for (const dir of dirs) {
    const path = join(dir, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}

function notFound(reason: string, cause?: unknown): HarnessError {
  return new HarnessError(
    'not_found',
    `nats-server and redis-server were not found: ${reason}. This installs them: ${installCommand}`,
    { cause },
  );
}
