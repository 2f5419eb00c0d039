import { styleText } from 'node:util';
import type { LogLevel, LogLine } from './log-line.ts';
import { type Plain, truncate } from './plain.ts';

const signs: Record<LogLevel, { readonly sign: string; readonly style: Style }> = {
  debug: { sign: '·', style: 'dim' },
  info: { sign: 'ℹ', style: 'cyan' },
  ok: { sign: '✔', style: 'green' },
  warn: { sign: '⚠', style: 'yellow' },
  error: { sign: '✖', style: 'red' },
};
type Style = 'dim' | 'cyan' | 'green' | 'yellow' | 'red';

/** Widths of the aligned columns; longer text pushes its own line only. */
const widths = { name: 8, subsys: 10, event: 26 };
/** Longest value that a person wants to read in a line. */
const maxValueLength = 120;
/** An error's message ends with its remedy, which must be read. */
const maxErrorLength = 400;

/**
 * A line for people: local time with milliseconds, sign, role, part, event, then what is known as
 * `name=value`. The stack of a grave error follows on
 * lines of its own.
 */
export function prettyLine(line: LogLine, options: { readonly color: boolean }): string {
  const paint = (style: Style, text: string) =>
    options.color ? styleText(style, text, { validateStream: false }) : text;
  const { sign, style } = signs[line.level];
  const head = [
    paint('dim', localTime(line.ts)),
    paint(style, sign),
    line.name.padEnd(widths.name),
    line.subsys.padEnd(widths.subsys),
    paint(style, line.event.padEnd(widths.event)),
  ].join(' ');
  const { corr_id, error, ...rest } = line.detail;
  const fields: (readonly [string, Plain])[] = [
    ['corr', corr_id],
    ['guild', line.guild_id],
    ['user', line.user_id],
    ['msg', line.msg_id],
    ...Object.entries(rest),
    ['error', errorText(error)],
  ];
  const shown = fields
    .filter(([, value]) => value !== null && value !== undefined)
    .map(
      ([name, value]) =>
        `${paint('dim', `${name}=`)}${valueText(value, name === 'error' ? maxErrorLength : maxValueLength)}`,
    );
  return [
    `${head} ${shown.join(' ')}`.trimEnd(),
    ...(line.level === 'error' ? stackOf(error) : []),
  ].join('\n');
}

/** `13:04:05.678` in the machine's time zone: the log's reader sits at this terminal. */
function localTime(ts: string): string {
  const at = new Date(ts);
  const two = (part: number) => String(part).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** Control and direction characters would let logged text move the cursor, forge or reorder a line. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function valueText(value: Plain, maxLength: number): string {
  if (typeof value === 'string') {
    const text = printable(value);
    const shown = truncate(text, maxLength);
    return /[\s=]/.test(text) ? `"${shown}"` : shown;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  return truncate(printable(JSON.stringify(value)), maxLength);
}

function errorText(error: Plain | undefined): Plain {
  if (typeof error !== 'object' || error === null || Array.isArray(error)) return error ?? null;
  const { name, message, code, cause } = error as Record<string, Plain>;
  const own = `${name}: ${message}${code === undefined ? '' : ` (${code})`}`;
  return cause === undefined ? own : `${own} ← ${errorText(cause)}`;
}

function stackOf(error: Plain | undefined): string[] {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return [];
  const frames = String(error.stack)
    .split('\n')
    .filter((frame) => /^\s+at /.test(frame));
  return frames.map((frame) => `    ${printable(frame.trim())}`);
}
