import type { Environment } from '@starling/config';
import type { OptionSpec, ParsedArguments } from './arguments.ts';

/** What a command may touch of the process around it. */
export interface CommandContext {
  readonly environment: Environment;
  /** The project's root folder. */
  readonly root: string;
  /** The command's own result, and nothing else. */
  readonly out: (line: string) => void;
  /** Progress and errors, for people. */
  readonly say: (line: string) => void;
  /** Fires on SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
}

/** One command of `starling`. */
export interface Command {
  readonly name: string;
  /** After the name: `"text" [--dm]`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** @returns the exit code */
  run(args: ParsedArguments, context: CommandContext): Promise<number>;
}
