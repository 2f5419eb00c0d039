import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { allSections } from '@starling/config';
import { baseEnvironment } from '@starling/harness';
import { vi } from 'vitest';
import { familyOf } from './process-tree.ts';

/** The program `starling` as a person starts it, in a process group of its own. Disposing kills it. */
export interface CliProcess extends AsyncDisposable {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves with its exit code, when its output has ended too. */
  readonly exited: Promise<number | null>;
  /** Resolves when it has written the text to standard error; rejects when it ended without. */
  says(text: string): Promise<void>;
  signal(signal: 'SIGINT' | 'SIGTERM'): void;
  /** It and everything that it has started. */
  family(): Promise<readonly number[]>;
}

const main = resolve(import.meta.dirname, '../src/main.ts');

/** Every setting empty, which counts as unset: a developer's own `.env` has no part in a test. */
const unset = Object.fromEntries(
  Object.values(allSections)
    .flatMap((section) => Object.values(section))
    .map(({ variable }) => [variable, '']),
);

export function startCli(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): CliProcess {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...unset, ...baseEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => {
    texts.stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    texts.stderr += data.toString();
  });
  const exited = new Promise<number | null>((done) => {
    child.once('close', (code) => done(code));
  });
  const pid = Number(child.pid);
  return {
    pid,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    exited,
    async says(text) {
      const found = () => {
        if (!texts.stderr.includes(text))
          throw new Error(`it has not said ${text}:\n${texts.stderr}`);
        return true;
      };
      await Promise.race([exited, vi.waitFor(found, { timeout: 60_000, interval: 20 })]);
      found();
    },
    signal(signal) {
      child.kill(signal);
    },
    family: () => familyOf(pid),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs one command to its end. */
export async function runCli(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  await using cli = startCli(args, settings);
  const code = await cli.exited;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}
