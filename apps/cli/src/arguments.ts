import { parseArgs } from 'node:util';

/** What one option of a command accepts. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  /** For the help text. */
  readonly value?: string;
  readonly doc: string;
}

/** The words of a command line, checked against the command's options. */
export interface ParsedArguments {
  readonly words: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** @throws {UsageError} when the option is no whole number in [min, max] */
  integer(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined;
  /**
   * A time as people write it: `250ms`, `1s`.
   * @returns milliseconds
   * @throws {UsageError} when the option is none
   */
  duration(name: string): number | undefined;
}

/** The command line is wrong: its message names the option, the value and the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Parses the words after a command's name.
 * @throws {UsageError} on an unknown option or a missing value
 */
export function parseArguments(
  args: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
): ParsedArguments {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type }]) => [name, { type }]),
  );
  const { values, positionals } = parse(args, config, Object.keys(options));
  const text = (name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    words: positionals,
    flag: (name) => values[name] === true,
    text,
    integer: (name, { min, max }) => {
      const given = text(name);
      if (given === undefined) return undefined;
      const value = /^-?\d+$/.test(given) ? Number(given) : Number.NaN;
      if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
      throw new UsageError(`--${name} ${given}: give a whole number from ${min} to ${max}`);
    },
    duration: (name) => {
      const given = text(name);
      if (given === undefined) return undefined;
      const [, number, unit] = /^(\d{1,6})(ms|s)$/.exec(given) ?? [];
      if (number !== undefined) return Number(number) * (unit === 's' ? 1_000 : 1);
      throw new UsageError(`--${name} ${given}: give a time, as 250ms or 2s`);
    },
  };
}

function parse(
  args: readonly string[],
  options: Record<string, { type: 'boolean' | 'string' }>,
  names: readonly string[],
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('. ')[0] : String(error);
    const known = names.map((name) => `--${name}`).join(', ') || 'none';
    throw new UsageError(`${problem}. The options here: ${known}`, { cause: error });
  }
}
