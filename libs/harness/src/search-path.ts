import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { baseEnvironment } from './environment.ts';

/** Debian puts servers here, which is not on an ordinary user's `PATH`. */
const moreSearchDirs = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The first executable of this name.
 * @param searchPath folders as in `PATH`; undefined for the environment's and the system's own
 */
export async function onSearchPath(
  name: string,
  searchPath: string | undefined,
): Promise<string | undefined> {
  const dirs = (searchPath ?? baseEnvironment().PATH ?? '').split(':').filter(Boolean);
  if (searchPath === undefined) dirs.push(...moreSearchDirs);
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
