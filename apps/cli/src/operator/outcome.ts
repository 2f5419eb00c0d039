/** What the operator's commands on jobs and dead letters have in common. */
import { type OptionSpec, type ParsedArguments, UsageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { natsOption } from '../fleet/fleet-stores.ts';

/** What a command came to. */
export interface Outcome {
  readonly ok: boolean;
  /** For people. */
  readonly lines: readonly string[];
  /** For programs; beside `ok`. */
  readonly json: Readonly<Record<string, unknown>>;
}

export const operatorOptions: Readonly<Record<string, OptionSpec>> = {
  most: { type: 'string', value: 'N', doc: 'of a list, the newest so many; 50' },
  ...natsOption,
  json: { type: 'boolean', doc: 'end in one line of JSON' },
};

/** A screen or two; each costs a read of the ledger. */
const defaultMost = 50;
const maxMost = 20_000;

/** How many to list. @throws {UsageError} */
export function mostOf(args: ParsedArguments): number {
  return args.integer('most', { min: 1, max: maxMost }) ?? defaultMost;
}

/** What is to be done, and to which: `list`, or another action and one name. @throws {UsageError} */
export function actionOf<Name extends string>(
  { words }: ParsedArguments,
  actions: readonly Name[],
): { readonly action: Name | 'list'; readonly word: string } {
  const [first = 'list', word, ...more] = words;
  if (first === 'list' && word === undefined) return { action: 'list', word: '' };
  const action = actions.find((name) => name === first);
  if (action && word !== undefined && more.length === 0) return { action, word };
  const all = ['list', ...actions.map((name) => `${name} ID`)].join(', ');
  throw new UsageError(`${words.join(' ')}: give one of ${all}`);
}

/** Nothing has that name: says so, and what there is. */
export function unknown(
  word: string,
  of: { readonly what: string; readonly names: readonly string[]; readonly hint?: string },
): Outcome {
  const { hint, names, what } = of;
  const shown = names.slice(-shownNames);
  const more = names.length - shown.length;
  const there =
    names.length === 0
      ? `there is no ${what} at all`
      : `there are ${shown.join(', ')}${more > 0 ? ` and ${more} older ones` : ''}`;
  const error = `no ${what} has the name ${word}: ${there}${hint ? `. ${hint}` : ''}`;
  return { ok: false, lines: [error], json: { error, names: shown } };
}

const shownNames = 10;

/** Prints it. @returns the exit code */
export function tell(outcome: Outcome, args: ParsedArguments, context: CommandContext): number {
  const { json, lines, ok } = outcome;
  if (args.flag('json')) context.out(JSON.stringify({ ok, ...json }));
  else for (const line of lines) (ok ? context.out : context.say)(line);
  return ok ? 0 : 1;
}
