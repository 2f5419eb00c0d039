/**
 * Portkey's gateway (npm, MIT) as a baseline. The benchmark installs it into a cache folder of its
 * own: it is no dependency of the project. Its own dependencies are held to the versions with which
 * its streams work; with what npm would take today they end in 500 (Portkey-AI/gateway #1389, #1550).
 */
import { randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@starling/clock';
import { runCommand, startServer } from '@starling/harness';
import { request } from 'undici';
import type { Provider } from './provider.ts';
import type { Target } from './target.ts';

const version = '1.15.2';

const manifest = {
  private: true,
  dependencies: { '@portkey-ai/gateway': version },
  overrides: { '@hono/node-server': '1.13.5', '@hono/node-ws': '1.2.0', hono: '4.9.7' },
};

const program = 'node_modules/@portkey-ai/gateway/build/start-server.js';

/** Where it is kept and how it is fetched. */
export interface PortkeyOptions {
  /** The folder that holds one folder a version. */
  readonly cacheDir: string;
  /** For npm: it needs `PATH`, `HOME` and what points it to its registry. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Starts Portkey before the provider, installing it first when the cache has none.
 * @throws {Error} when it cannot be installed; {HarnessError} when it does not start
 */
export async function startPortkey(provider: Provider, options: PortkeyOptions): Promise<Target> {
  const folder = await installed(options);
  const server = await startServer(
    {
      name: 'portkey',
      scheme: 'http',
      program: {
        path: process.execPath,
        env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
      },
      args: (port) => [join(folder, program), '--headless', `--port=${port}`],
      serves: async (port) => {
        const answer = await request(`http://127.0.0.1:${port}/`).catch(() => undefined);
        await answer?.body.dump();
        return answer?.statusCode === 200;
      },
    },
    { port: undefined, clock: options.clock, release: async () => {} },
  );
  return {
    name: 'portkey',
    url: `${server.url}/v1/chat/completions`,
    bearers: ['portkey'],
    headers: {
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `${provider.origin}/v1`,
    },
    processes: () => [{ name: 'portkey', pid: server.pid }],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function installed(options: PortkeyOptions): Promise<string> {
  const folder = join(options.cacheDir, version);
  if (await exists(join(folder, program))) return folder;
  options.say(`installing Portkey ${version} into ${options.cacheDir} (once)`);
  // Filled beside its place and renamed at the end, so that a half-filled folder is never used.
  const staging = join(options.cacheDir, `.staging-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'package.json'), JSON.stringify(manifest));
    const { code, output } = await runCommand(
      'npm',
      ['install', '--no-audit', '--no-fund', '--no-progress', '--ignore-scripts'],
      { cwd: staging, env: options.environment, signal: options.signal },
    );
    if (code !== 0) {
      const lines = output.split('\n').filter((line) => line.trim() !== '');
      throw new Error(`Portkey ${version} could not be installed: ${lines.slice(-3).join(' / ')}`);
    }
    await rename(staging, folder).catch(async (error: unknown) => {
      // Another benchmark was faster.
      if (!(await exists(join(folder, program)))) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
