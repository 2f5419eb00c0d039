/** Programs out of Debian packages, fetched once into the cache folder and run from there. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, deadlineAfter, systemClock } from '@starling/clock';
import { debianRelease, fetchPackages, libraryPaths } from './debian-packages.ts';
import { baseEnvironment, networkEnvironment, serverCacheDir } from './environment.ts';
import { runCommand } from './run-command.ts';
import { cachedFolder } from './server-cache.ts';

/** A program that runs here, with the environment it needs on top of the usual one. */
export interface ServerProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How programs are looked for; each has a default that serves. */
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

/** Packages and what is run out of them. */
export interface DebianPrograms<Name extends string> {
  readonly packages: readonly string[];
  /** Paths below the root of the unpacked packages. */
  readonly programs: Readonly<Record<Name, string>>;
  /** The word that makes each print its version and end. */
  readonly versionWord: string;
  /** Tells this set from others in the cache folder; none for the first set there was. */
  readonly entryPrefix?: string;
}

/**
 * The programs from the cache folder; on Debian and Ubuntu their packages are fetched into it first,
 * with no root, nothing installed, no service started. Several processes may call it; one fetches.
 * @throws {Error} saying why they cannot be had
 */
export async function debianPrograms<Name extends string>(
  set: DebianPrograms<Name>,
  options: LocateOptions,
): Promise<Record<Name, ServerProgram> & { readonly origin: 'cache' | 'fetched' }> {
  const { onProgress = () => {}, clock = systemClock, timeoutMs = 600_000 } = options;
  const release = await debianRelease();
  if (release === undefined) {
    throw new Error('this system is neither Debian nor Ubuntu, so they cannot be fetched');
  }
  using deadline = deadlineAfter(clock, timeoutMs);
  let origin: 'cache' | 'fetched' = 'cache';
  const folder = await cachedFolder({
    cacheDir: options.cacheDir ?? serverCacheDir(),
    entry: `${set.entryPrefix ?? ''}${release}-${process.arch}`,
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
        { packages: set.packages, programs: Object.values(set.programs) },
      );
      await programsIn(workDir, set);
      for (const used of ['debs', 'apt']) {
        await rm(join(workDir, used), { recursive: true, force: true });
      }
    },
  });
  return { ...(await programsIn(folder, set)), origin };
}

/** The programs of a filled folder, each tried once: a folder that cannot run them is no use. */
async function programsIn<Name extends string>(
  folder: string,
  { programs, versionWord }: DebianPrograms<Name>,
): Promise<Record<Name, ServerProgram>> {
  const root = join(folder, 'root');
  const libraries = (await libraryPaths(root)).join(':');
  const env: Record<string, string> = libraries === '' ? {} : { LD_LIBRARY_PATH: libraries };
  const found = {} as Record<Name, ServerProgram>;
  for (const name of Object.keys(programs) as Name[]) {
    const program = { path: join(root, programs[name]), env };
    const { code, output } = await runCommand(program.path, [versionWord], {
      env: { ...baseEnvironment(), ...env },
    });
    if (code !== 0)
      throw new Error(`${program.path} does not run (remove ${folder}): ${output.trim()}`);
    found[name] = program;
  }
  return found;
}
