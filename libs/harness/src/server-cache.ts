/**
 * The folder that fetched servers are kept in. It is filled beside its final place and renamed at
 * the end, so that a half-fetched one is never used; one process at a time fills it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@starling/clock';

/** How often a process that waits for another one's fetch looks again. */
const lockPollMs = 200;

/**
 * The cache entry's folder; fills it first when there is none.
 * @param options.fill writes the entry into the folder it is given
 */
export async function cachedFolder(options: {
  readonly cacheDir: string;
  readonly entry: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWaiting: () => void;
  readonly fill: (folder: string) => Promise<void>;
}): Promise<string> {
  const { cacheDir, entry } = options;
  const folder = join(cacheDir, entry);
  if (await exists(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  await using _lock = await lock(folder, options);
  if (await exists(folder)) return folder;
  const staging = join(cacheDir, `.staging-${randomUUID()}`);
  try {
    await mkdir(staging);
    await options.fill(staging);
    await rename(staging, folder).catch(async (error: unknown) => {
      // Another machine on the same folder was faster: the lock reaches only this one.
      if (!(await exists(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * One holder at a time on this machine: a listening socket in Linux's abstract namespace (unix(7)),
 * which the kernel frees with its holder's death, so that there is no stale lock to judge.
 */
async function lock(
  folder: string,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onWaiting: () => void;
  },
): Promise<AsyncDisposable> {
  const name = `\0starling-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
  for (let tries = 0; ; tries += 1) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ path: name }, () => resolve(true));
    });
    if (taken) {
      return {
        [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
      };
    }
    if (tries === 0) options.onWaiting();
    await options.clock.sleep(lockPollMs, { signal: options.signal });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
