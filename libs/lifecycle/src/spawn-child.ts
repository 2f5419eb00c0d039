import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@starling/clock';

/** A program to run as a child. */
export interface ChildCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** The child's whole environment; nothing is inherited beside it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
}

/** How a child ended; `error` when it never started (no such program, no permission). */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: Error;
}

/** What a child says while it lives. */
export interface ChildEars {
  line(text: string, stream: 'stdout' | 'stderr'): void;
  /** An IPC message. */
  message(value: unknown): void;
}

/** A running child. */
export interface ChildHandle {
  /** Undefined when it never started. */
  readonly pid: number | undefined;
  /** Resolves when it is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** SIGTERM goes to the child; SIGKILL to its whole process group. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export type SpawnChild = (command: ChildCommand, ears: ChildEars, clock: Clock) => ChildHandle;

/** Longest line that is handed on whole; the rest follows as further lines. */
const maxLineLength = 64 * 1024;
/** How long the output of a child that ended is waited for: a grandchild may hold its pipes open. */
const outputGraceMs = 250;

const living = new Set<ChildHandle>();

/** However this process ends, short of kill -9, its children end before it. */
function killLiving(): void {
  for (const child of living) child.kill('SIGKILL');
}

/**
 * Starts a child in a process group of its own, so that Ctrl-C in a terminal reaches only us and we
 * end our children in order. Over its IPC channel a child learns that we are gone, even by kill -9.
 */
export const spawnChild: SpawnChild = (command, ears, clock) => {
  const child = spawn(command.file, command.args, {
    env: { ...command.environment },
    ...(command.directory !== undefined && { cwd: command.directory }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { promise: exited, resolve } = Promise.withResolvers<ChildExit>();
  child.on('error', (error) => {
    if (child.pid === undefined) resolve({ code: null, signal: null, error });
  });
  child.on('close', (code, signal) => resolve({ code, signal }));
  child.on('exit', (code, signal) => {
    const timer = clock.schedule(outputGraceMs, () => resolve({ code, signal }));
    void exited.then(() => timer[Symbol.dispose]());
  });
  child.on('message', (value) => ears.message(value));
  if (child.stdout) readLines(child.stdout, (text) => ears.line(text, 'stdout'));
  if (child.stderr) readLines(child.stderr, (text) => ears.line(text, 'stderr'));

  const handle: ChildHandle = {
    pid: child.pid,
    exited,
    kill(signal) {
      if (child.pid === undefined) return;
      try {
        process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
      } catch {
        // ESRCH: it is gone already.
      }
    },
  };
  if (child.pid !== undefined) track(handle);
  return handle;
};

function track(handle: ChildHandle): void {
  if (living.size === 0) process.on('exit', killLiving);
  living.add(handle);
  void handle.exited.then(() => {
    living.delete(handle);
    if (living.size === 0) process.off('exit', killLiving);
  });
}

function readLines(stream: Readable, onLine: (text: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > maxLineLength) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => {});
}
