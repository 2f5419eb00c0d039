import { spawn } from 'node:child_process';
import { OutputRing } from './output-ring.ts';

/** How a command ended; `output` is the end of standard output and standard error together. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

/** What a command prints here is a list of packages or libraries: far below this. */
const maxOutputBytes = 1_048_576;

/**
 * Runs a command to its end. A command that cannot be started ends with code 127, as in a shell.
 * `LC_ALL=C` keeps what we parse in one language.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env: NodeJS.ProcessEnv;
    readonly signal?: AbortSignal;
  },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const stdout = new OutputRing(maxOutputBytes);
    const output = new OutputRing(maxOutputBytes);
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal && { signal: options.signal }),
    });
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.write(chunk);
      output.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => output.write(chunk));
    child.on('error', (error) => output.write(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) =>
      resolve({ code: code ?? 127, stdout: stdout.text(), output: output.text() }),
    );
  });
}
