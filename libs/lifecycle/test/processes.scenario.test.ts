import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { systemClock, systemRandom } from '@starling/clock';
import { expect, it } from 'vitest';
import { type SuperviseOptions, superviseChild } from '../src/index.ts';

const programPath = new URL('./fixtures/program.ts', import.meta.url).pathname;
const parentPath = new URL('./fixtures/parent.ts', import.meta.url).pathname;

/** Whether a process exists; signal 0 only asks. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await systemClock.sleep(20);
}

function program(behaviour: string, lines: string[], overrides: Partial<SuperviseOptions> = {}) {
  return superviseChild({
    name: behaviour,
    command: {
      file: execPath,
      args: [programPath, behaviour],
      environment: {},
    },
    clock: systemClock,
    random: systemRandom,
    ready: { kind: 'message' },
    readyTimeoutMs: 20_000,
    stopDeadlineMs: 5_000,
    restart: { baseMs: 1, capMs: 1, maxRestarts: 1, steadyMs: 60_000 },
    onLine: (line) => void lines.push(line),
    ...overrides,
  });
}

it('runs a program, drains it, and leaves nothing behind', async () => {
  const lines: string[] = [];
  const child = await program('plain', lines);
  const pid = Number(child.pid);
  expect(child.ready).toMatchObject({ port: 7, pid });
  await child[Symbol.asyncDispose]();
  expect(alive(pid)).toBe(false);
  expect(lines).toEqual(['info process.serving', 'info process.stop_asked', 'drained', 'released']);
});

it('reads readiness from standard output when there is to be a line', async () => {
  const child = await program('plain', [], {
    ready: { kind: 'line', matches: (line) => line.startsWith('{"ready":true') },
    command: {
      file: execPath,
      args: [programPath, 'plain'],
      environment: { STARLING_READY: 'stdout' },
    },
  });
  expect(child.ready).toMatchObject({ name: 'program', port: 7 });
  await child[Symbol.asyncDispose]();
});

it('starts a killed program again', async () => {
  const child = await program('plain', []);
  const first = Number(child.pid);
  process.kill(first, 'SIGKILL');
  while (child.pid === undefined || child.pid === first) await systemClock.sleep(20);
  expect(alive(first)).toBe(false);
  await child[Symbol.asyncDispose]();
});

it('says what a program that cannot start said last', async () => {
  await expect(program('fails', [])).rejects.toThrow(/with code 1[\s\S]*no disk/);
});

it('names a program that does not exist', async () => {
  const command = { file: '/nowhere/at/all', args: [], environment: {} };
  await expect(program('plain', [], { command })).rejects.toThrow(/could not be started.*ENOENT/);
});

it('ends a program whose drain is stuck, by its own deadline', async () => {
  const lines: string[] = [];
  const child = await program('stuck', lines);
  await child[Symbol.asyncDispose]();
  expect(lines).toContain('error process.failed Error: the drain was cut short');
  expect(lines).toContain('released');
});

it('drains after an error that nobody caught', async () => {
  const lines: string[] = [];
  const { promise: gaveUp, resolve } = Promise.withResolvers<Error>();
  const restart = { baseMs: 1, capMs: 1, maxRestarts: 0, steadyMs: 60_000 };
  const child = await program('faults', lines, { restart, onGaveUp: resolve });
  expect((await gaveUp).message).toContain('ended with code 1');
  expect(lines).toContain('error process.fault Error: stray');
  expect(lines).toContain('drained');
  await child[Symbol.asyncDispose]();
});

it('leaves no child behind when the parent is killed with SIGKILL', async () => {
  const parent = spawn(execPath, [parentPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const childPid = Number(line.toString());
  expect(alive(childPid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await gone(childPid);
});
