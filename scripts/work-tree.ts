import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TextFile } from './tidy/project.ts';

/** The folder that holds this repository's package.json. */
export const root = join(import.meta.dirname, '..');

/** Files larger than this are data, not text that somebody wrote. */
const maxTextBytes = 2 * 1024 * 1024;

/**
 * The texts of the work tree that git knows or would add, so that a new file is held to the laws
 * before it is committed and an ignored one never is.
 */
export function readWorkTree(): TextFile[] {
  const listing = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: maxTextBytes * 8,
  });
  return [...new Set(listing.split('\0'))].filter(Boolean).flatMap((path) => {
    const bytes = readIfThere(join(root, path));
    if (bytes === undefined || bytes.length > maxTextBytes || bytes.includes(0)) return [];
    return [{ path, text: bytes.toString('utf8') }];
  });
}

/** A file that git still lists may have been deleted; a link may point at a folder. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return undefined;
    throw error;
  }
}
