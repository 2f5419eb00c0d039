import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError, type ConfigProblem, type Environment } from './parse.ts';

const assignment = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/;
const nothing = /^\s*(?:#.*)?$/;

/**
 * The variables of a `.env` text, read by Node's own parser. That parser skips what it does not
 * understand, and may take the next line with it, so every line is looked at first.
 * @throws {ConfigError} naming each bad line by its number; its text may be a secret and is not shown
 */
export function parseEnvText(text: string, path: string): Environment {
  const problems: ConfigProblem[] = [];
  const bad = (line: number, problem: string) =>
    problems.push({ variable: `${path}:${line + 1}`, value: '(hidden)', problem });

  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let line = 0; line < lines.length; line += 1) {
    const content = lines[line] ?? '';
    if (nothing.test(content)) continue;
    const value = assignment.exec(content)?.[1];
    if (value === undefined) {
      bad(line, 'write it as NAME=value, or put # before it');
      continue;
    }
    const end = endOfValue(lines, line, value);
    if (end === undefined) bad(line, 'close the quotation mark that its value begins with');
    else line = end;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return parseEnv(lines.join('\n'));
}

/** The line that closes a quoted value, which may be a later one; undefined when none does. */
function endOfValue(lines: readonly string[], start: number, value: string): number | undefined {
  const quote = value[0];
  if (quote !== '"' && quote !== "'" && quote !== '`') return start;
  if (value.indexOf(quote, 1) > 0) return start;
  const more = lines.slice(start + 1).findIndex((line) => line.includes(quote));
  return more === -1 ? undefined : start + 1 + more;
}

/**
 * The environment with what a `.env` file adds; what is set already stays, as with `node --env-file`.
 * A file that does not exist adds nothing.
 * @throws {ConfigError} when the file cannot be read or has a bad line
 */
export function withEnvFile(environment: Environment, path: string): Environment {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return environment;
    const problem = `make it a readable file, or remove it (${code})`;
    throw new ConfigError([{ variable: path, value: '', problem }]);
  }
  return { ...parseEnvText(text, path), ...environment };
}
