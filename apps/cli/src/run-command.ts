import { BusError } from '@starling/bus';
import { ConfigError, type Environment } from '@starling/config';
import { HarnessError } from '@starling/harness';
import { ChildError } from '@starling/lifecycle';
import colors from 'picocolors';
import { parseArguments, UsageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { NoStoresError } from './fleet/fleet-stores.ts';
import { PortTakenError } from './fleet/free-ports.ts';
import { AlreadyRunningError } from './fleet/run-file.ts';
import { DoorError } from './people-door.ts';

/** The words of the command line and what they are run with. */
export interface CommandLine {
  readonly commands: readonly Command[];
  readonly args: readonly string[];
  readonly context: Omit<CommandContext, 'environment'> & {
    /** Read only once a command runs: a bad setting must not stand in the way of the help. */
    readonly environment: () => Environment;
  };
}

/** Failures that their message explains whole; any other is shown with where it came from. */
const explained = [
  AlreadyRunningError,
  BusError,
  ChildError,
  DoorError,
  HarnessError,
  NoStoresError,
  PortTakenError,
];

/**
 * Runs one command.
 * @returns the exit code: the command's own, 2 for a wrong command line or setting, 1 for a failure
 */
export async function runCommand({ commands, args, context }: CommandLine): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help') {
    for (const line of help(commands)) context.out(line);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    const known = commands.map((candidate) => candidate.name).join(', ');
    context.say(`${colors.red('✖')} there is no command ${name}. There are: ${known}, help`);
    return 2;
  }
  try {
    const parsed = parseArguments(rest, command.options);
    return await command.run(parsed, { ...context, environment: context.environment() });
  } catch (error) {
    if (context.stop.aborted) {
      context.say('stopped');
      return 130;
    }
    return fail(error, command, context.say);
  }
}

function fail(error: unknown, command: Command, say: (line: string) => void): number {
  const mark = colors.red('✖');
  if (error instanceof ConfigError) {
    say(`${mark} a setting is wrong (docs/configuration.md has them all):`);
    for (const { variable, value, problem } of error.problems) {
      say(`  ${variable}=${value}: ${problem}`);
    }
    return 2;
  }
  if (error instanceof UsageError) {
    say(`${mark} ${error.message}`);
    say(`  usage: npm run -s starling -- ${command.name} ${command.usage}`);
    return 2;
  }
  if (explained.some((kind) => error instanceof kind)) {
    say(`${mark} ${(error as Error).message}`);
    return 1;
  }
  if (isSystemError(error)) {
    say(`${mark} ${systemText(error)}`);
    return 1;
  }
  say(`${mark} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/** The remedies of what a disk or a permission can do to a start. */
function systemText({ code, path, syscall, message }: SystemError): string {
  const where = path ?? 'a folder';
  if (syscall === 'mkdir' && (code === 'ENOTDIR' || code === 'EEXIST' || code === 'ENOENT')) {
    return `there can be no folder ${where}: set STARLING_DIR to one that can be made`;
  }
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `no permission to write ${where}: own it, or set STARLING_DIR to a folder that you own`;
    case 'ENOSPC':
      return `the disk of ${where} is full: free some space, or set STARLING_DIR to another disk`;
    default:
      return message;
  }
}

function help(commands: readonly Command[]): readonly string[] {
  const lines = ['Usage: npm run -s starling -- COMMAND', ''];
  for (const { name, usage, summary, options } of commands) {
    lines.push(`  ${colors.bold(name)} ${usage}`, `      ${summary}`);
    for (const [option, { value, doc }] of Object.entries(options)) {
      lines.push(`      ${`--${option}${value ? ` ${value}` : ''}`.padEnd(24)} ${doc}`);
    }
    lines.push('');
  }
  return lines;
}
