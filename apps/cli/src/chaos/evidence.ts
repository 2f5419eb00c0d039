/** What a person needs to look into what went wrong in a run: single messages, with all that struck meanwhile. */
import { type JudgedMessage, wrongOf } from './judge.ts';
import type { KnownEnd } from './known-ends.ts';
import type { ChaosRun } from './run-chaos.ts';
import type { Strike } from './strikes.ts';

/** Cases of each kind that are shown. */
const maxShown = 4;

export function evidence(
  run: Pick<ChaosRun, 'answers' | 'ends' | 'messages' | 'record' | 'stranded' | 'strikes'>,
): readonly string[] {
  const { answers, ends, messages, record, strikes } = run;
  const shown = new Map<string, number>();
  const room = (kind: string) => {
    const count = (shown.get(kind) ?? 0) + 1;
    shown.set(kind, count);
    return count <= maxShown;
  };
  const lines: string[] = [];
  for (const message of messages) {
    const what = wrongOf(message, run);
    if (what === undefined || !room(what)) continue;
    const text = answers.get(message.id)?.text ?? '';
    const told = [
      `${what} ${message.id}`,
      courseOf(message),
      ...(message.interruption
        ? [`${message.interruption.kind} at ${seconds(message.interruption.atMs)}`]
        : []),
      `called the model ${message.calls.map(spanOf).join(', ') || 'never'}`,
      endOf(ends.get(message.id)),
      struckMeanwhile(message, strikes),
      ...(text === '' ? [] : [`…${JSON.stringify(text.slice(-70))}`]),
    ];
    lines.push(told.join('; '));
  }
  for (const { rule, detail } of record.violations) {
    if (rule === 'unanswered' || !room(rule)) continue;
    const asked = messages.find(({ id }) => id === detail.toId);
    const when = asked ? `; ${courseOf(asked)}; ${struckMeanwhile(asked, strikes)}` : '';
    lines.push(`${rule} ${JSON.stringify(detail)}${when}`);
  }
  return lines;
}

function courseOf({ dueMs, endedMs }: JudgedMessage): string {
  const end = endedMs === undefined ? 'nothing came' : `last changed at ${seconds(endedMs)}`;
  return `said at ${seconds(dueMs)}, ${end}`;
}

function spanOf({ endMs, startMs }: JudgedMessage['calls'][number]): string {
  return `${seconds(startMs)} to ${endMs === undefined ? 'now' : seconds(endMs)}`;
}

function endOf(end: KnownEnd | undefined): string {
  if (!end) return 'no end in the ledger';
  return `${end.code ?? 'answered'} after attempt ${end.attempt}`;
}

/** Every fault between what was said and its end: a job may meet several, one for each attempt. */
function struckMeanwhile({ dueMs, endedMs }: JudgedMessage, strikes: readonly Strike[]): string {
  const untilMs = endedMs ?? Number.POSITIVE_INFINITY;
  const met = strikes.filter(({ atMs, overMs }) => overMs >= dueMs && atMs <= untilMs);
  const told = met.map(({ atMs, fault, target }) => `${fault} (${target}) at ${seconds(atMs)}`);
  return told.length === 0 ? 'no fault meanwhile' : `struck by ${told.join(', ')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
