/**
 * Debian and Ubuntu packages without root and without installing anything: `apt-get download` (which
 * checks signatures and hashes as an installation does) and `dpkg-deb -x` into a folder of our own.
 * Where the system has no package lists, as in many container images, or only stale ones, APT keeps
 * a private copy of its state in that folder.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** What every step here needs. */
export interface PackageFetch {
  /** A folder of ours on the same file system as the cache; everything is written below it. */
  readonly workDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** More options for APT, for example another list of sources. */
  readonly aptOptions: readonly string[];
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Where the programs and libraries of the unpacked packages are, below the root of the unpacking. */
const libraryDirs = ['usr/lib', 'lib'];

/** A library may need a library; deeper than this the packages are not what we think. */
const maxLibraryRounds = 4;

/**
 * Fetches and unpacks `packages` into `<workDir>/root`, then the libraries that `programs` miss.
 * @param options.programs paths below the root
 * @throws {Error} with the last lines of the command that failed
 */
export async function fetchPackages(
  fetch: PackageFetch,
  options: { readonly packages: readonly string[]; readonly programs: readonly string[] },
): Promise<void> {
  const root = join(fetch.workDir, 'root');
  await mkdir(root, { recursive: true });
  const apt = await downloadFirst(fetch, options.packages);
  await unpack(fetch, root);
  const fetched = new Set(options.packages);
  for (let round = 0; round < maxLibraryRounds; round += 1) {
    const missing = await missingLibraries(fetch, root, options.programs);
    if (missing.length === 0) return;
    const candidates = (await dependencies(fetch, apt, [...fetched])).filter(
      (name) => !fetched.has(name) && missing.some((library) => mayHold(name, library)),
    );
    if (candidates.length === 0) throw new Error(`no package has ${missing.join(', ')}`);
    fetch.onProgress(`fetching libraries: ${candidates.join(', ')}`);
    await download(fetch, apt, candidates);
    for (const name of candidates) fetched.add(name);
    await unpack(fetch, root);
  }
  throw new Error('the libraries of the packages need ever more libraries');
}

/**
 * By Debian's rule `libjemalloc.so.2` is in a package whose name begins with `libjemalloc`, and
 * `libopentracing_c_wrapper.so.0` in one with hyphens (policy §8.1).
 */
function mayHold(packageName: string, library: string): boolean {
  return packageName.startsWith(library.replace(/\.so.*$/, '').replaceAll('_', '-'));
}

/** APT's options that worked: the system's own lists, else a private update. */
async function downloadFirst(
  fetch: PackageFetch,
  packages: readonly string[],
): Promise<readonly string[]> {
  fetch.onProgress(`fetching packages: ${packages.join(', ')}`);
  try {
    await download(fetch, fetch.aptOptions, packages);
    return fetch.aptOptions;
  } catch {
    fetch.signal.throwIfAborted();
  }
  const state = join(fetch.workDir, 'apt', 'state');
  const cache = join(fetch.workDir, 'apt', 'cache');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const options = [
    ...fetch.aptOptions,
    ...['-o', `Dir::State=${state}`, '-o', `Dir::Cache=${cache}`],
    ...['-o', 'Dir::State::status=/var/lib/dpkg/status'],
  ];
  fetch.onProgress('fetching package lists (the system has none that serve)');
  // Sources that fail are no reason to stop: what counts is whether the packages can be had after it.
  const update = await runCommand('apt-get', ['-q', ...options, 'update'], fetch);
  try {
    await download(fetch, options, packages);
  } catch (error) {
    throw update.code === 0 ? error : commandError('apt-get update', update.output);
  }
  return options;
}

async function download(
  fetch: PackageFetch,
  apt: readonly string[],
  packages: readonly string[],
): Promise<void> {
  const debs = join(fetch.workDir, 'debs');
  await mkdir(debs, { recursive: true });
  const args = ['-q', ...apt, 'download', ...packages];
  const { code, output } = await runCommand('apt-get', args, { ...fetch, cwd: debs });
  if (code !== 0) throw commandError('apt-get download', output);
}

async function unpack(fetch: PackageFetch, root: string): Promise<void> {
  const debs = join(fetch.workDir, 'debs');
  for (const name of await readdir(debs)) {
    const { code, output } = await runCommand('dpkg-deb', ['-x', join(debs, name), root], fetch);
    if (code !== 0) throw commandError(`dpkg-deb -x ${name}`, output);
  }
}

async function dependencies(
  fetch: PackageFetch,
  apt: readonly string[],
  packages: readonly string[],
): Promise<readonly string[]> {
  const { stdout } = await runCommand('apt-cache', [...apt, 'depends', ...packages], fetch);
  const names = stdout.matchAll(/^\s*\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9.+-]*)$/gm);
  return [...new Set([...names].map((match) => match[1] ?? ''))];
}

/** Names such as `libjemalloc.so.2` that neither the system nor the root has. */
async function missingLibraries(
  fetch: PackageFetch,
  root: string,
  programs: readonly string[],
): Promise<readonly string[]> {
  const env = { ...fetch.env, LD_LIBRARY_PATH: (await libraryPaths(root)).join(':') };
  const missing = new Set<string>();
  for (const program of programs) {
    const { stdout } = await runCommand('ldd', [join(root, program)], { ...fetch, env });
    for (const match of stdout.matchAll(/^\s*(\S+) => not found/gm)) missing.add(match[1] ?? '');
  }
  return [...missing];
}

/** Every folder of an unpacked root that holds shared libraries: a child's `LD_LIBRARY_PATH`. */
export async function libraryPaths(root: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const top of libraryDirs) {
    const entries = await readdir(join(root, top), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) if (/\.so(\.|$)/.test(entry.name)) found.add(entry.parentPath);
  }
  return [...found].sort();
}

/** `debian-12`, `ubuntu-24.04`, … or undefined on a system without these packages. */
export async function debianRelease(file = '/etc/os-release'): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const family = `${value('ID')} ${value('ID_LIKE')}`.split(' ');
  if (!family.includes('debian') && !family.includes('ubuntu')) return undefined;
  return `${value('ID')}-${value('VERSION_ID')}`.replace(/[^a-z0-9.-]/g, '');
}

function commandError(command: string, output: string): Error {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return new Error(`${command}: ${lines.slice(-3).join(' / ')}`);
}
