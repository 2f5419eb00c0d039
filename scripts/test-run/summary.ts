import type { Counts, Failure } from './tally.ts';

/** Everything a person wants to read at the end of a run, the closing line last. */
export function summary(parts: {
  readonly rows: readonly (readonly [label: string, counts: Counts])[];
  readonly failures: readonly Failure[];
  readonly problems: readonly string[];
  readonly seconds: number;
}): string {
  const total = parts.rows.at(-1)?.[1];
  return [
    ...list(
      'Failed tests:',
      parts.failures.map(({ file, test }) => `${file}: ${test}`),
    ),
    ...list('Wrong with the run itself:', parts.problems),
    table(parts.rows),
    `in ${duration(parts.seconds)}`,
    total ? closingLine(total) : '',
  ].join('\n');
}

/** The one plain line a run ends with, for people and for CI. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `Tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ✖ ${line}`), ''];
}

function table(rows: readonly (readonly [string, Counts])[]): string {
  const line = (label: string, cells: readonly (string | number)[]) =>
    [label.padEnd(12), ...cells.map((cell) => String(cell).padStart(8))].join('');
  return [
    line('rung', ['passed', 'failed', 'skipped']),
    ...rows.map(([label, { passed, failed, skipped }]) => line(label, [passed, failed, skipped])),
  ].join('\n');
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
