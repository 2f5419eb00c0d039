import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { spawnApp } from '../src/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starling-spawn-app-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a small app and gives its path. */
async function app(name: string, source: string): Promise<string> {
  const entry = join(folder, `${name}.mjs`);
  await writeFile(entry, source);
  return entry;
}

/** Whether a process runs; one that has ended and waits for its new parent to notice does not. */
function alive(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}

const stays = 'setInterval(() => {}, 1000);';

describe('spawnApp', () => {
  it('waits for readiness, keeps the output, and ends the app in order', async () => {
    const entry = await app(
      'good',
      `console.log('hello', process.env.GREETING, process.env.SECRET);
       process.on('SIGTERM', () => { console.log('draining'); process.exit(0); });
       process.send({ ready: true, port: 7 }); ${stays}`,
    );
    vi.stubEnv('SECRET', 'of the developer');
    await using running = await spawnApp({ entry, env: { GREETING: 'world' } });
    vi.unstubAllEnvs();
    expect(running.readiness).toEqual({ ready: true, port: 7 });
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    await vi.waitFor(() => expect(running.output()).toBe('hello world undefined\ndraining\n'));
  });

  it('understands the readiness of a program that runs by our lifecycle', async () => {
    const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../..', path));
    const entry = await app(
      'lifecycle',
      `import { runProcess } from ${source('lifecycle/src/index.ts')};
       import { systemClock } from ${source('clock/src/index.ts')};
       await runProcess({
         name: 'small', clock: systemClock, environment: process.env, drainDeadlineMs: 1000,
         async build(stack) {
           const timer = setInterval(() => {}, 1000);
           stack.defer(() => { clearInterval(timer); console.log('released'); });
           return { parts: [], ready: { port: 7 } };
         },
       });`,
    );
    await using running = await spawnApp({ entry });
    expect(running.readiness).toMatchObject({ name: 'small', pid: running.pid, port: 7 });
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    await vi.waitFor(() => expect(running.output()).toBe('released\n'));
  });

  it('kills an app that does not end, and the children it leaves behind', async () => {
    const entry = await app(
      'stubborn',
      `import { spawn } from 'node:child_process';
       process.on('SIGTERM', () => {});
       const child = spawn(process.execPath, ['-e', ${JSON.stringify(stays)}], { stdio: 'ignore' });
       process.send({ ready: true, child: child.pid }); ${stays}`,
    );
    const running = await spawnApp({ entry });
    expect(await running.stop({ graceMs: 50 })).toEqual({ code: null, signal: 'SIGKILL' });
    const child = Number(running.readiness.child);
    expect(child).toBeGreaterThan(0);
    await vi.waitFor(() => expect(alive(child)).toBe(false));
  });

  it('says how an app ended that never became ready', async () => {
    const entry = await app('bad', `console.error('no such setting'); process.exit(3);`);
    await expect(spawnApp({ entry })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringMatching(/ended with 3 before it was ready:\nno such setting/),
    });
  });

  it('gives up on an app that hangs at start, and leaves nothing behind', async () => {
    const entry = await app('hanging', `console.log('pid', process.pid); ${stays}`);
    let output = '';
    const starting = spawnApp({
      entry,
      readyTimeoutMs: 400,
      onOutput: (text) => {
        output += text;
      },
    });
    await expect(starting).rejects.toMatchObject({ code: 'start_failed' });
    const pid = Number(/pid (\d+)/.exec(output)?.[1] ?? 0);
    if (pid > 0) expect(alive(pid)).toBe(false);
  });

  it('takes the app along when its parent is killed', async () => {
    const inner = await app('inner', `process.send({ ready: true }); ${stays}`);
    const outer = await app(
      'outer',
      `import { spawnApp } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))};
       const inner = await spawnApp({ entry: ${JSON.stringify(inner)} });
       process.send({ ready: true, inner: inner.pid }); ${stays}`,
    );
    const running = await spawnApp({ entry: outer });
    const pid = Number(running.readiness.inner);
    expect(alive(pid)).toBe(true);
    await running.kill();
    await vi.waitFor(() => expect(alive(pid)).toBe(false));
    await running.stop();
  });
});
