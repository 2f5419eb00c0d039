import type { ScenarioName } from './fault-kinds.ts';
import { type Fate, fateOf, type Verdict } from './judge.ts';
import { type ChaosRun, messagesPerSecond } from './run-chaos.ts';
import { settleBoundMs } from './settle.ts';

/** The one line of JSON that a scenario ends in. */
export function chaosLine(
  named: { readonly scenario: ScenarioName; readonly seed: number; readonly holdMs: number },
  run: ChaosRun,
  { problems, tally }: Verdict,
): Record<string, unknown> {
  const { scenario, seed, holdMs } = named;
  const firstTexts = run.messages
    .flatMap(({ firstTextMs }) => firstTextMs ?? [])
    .sort((a, b) => a - b);
  const { violations, said, accepted, answered, refused, expired, lost, doubled, ...others } =
    tally;
  return {
    ok: problems.length === 0,
    scenario,
    seed,
    accepted,
    answered,
    refused,
    expired,
    lost,
    doubled,
    notAccepted: others.notAccepted,
    faults: run.strikes.length,
    inFlightAtFault: run.strikes.map(({ streaming }) => streaming),
    problems,
    said,
    missed: others.missed,
    failed: others.failed,
    unfinished: others.unfinished,
    stranded: others.stranded,
    storedEver: run.storedEver,
    modelCalls: run.modelCalls,
    violations,
    firstTextMs: {
      p50: percentile(firstTexts, 0.5),
      p99: percentile(firstTexts, 0.99),
      max: percentile(firstTexts, 1),
    },
    messagesPerSecond,
    loadSeconds: Math.round(run.loadMs / 1000),
    settledMs: Math.round(run.settledMs),
    settleBoundMs,
    holdMs,
    discord: run.knobs,
    strikes: run.strikes.map((strike) => ({
      ...strike,
      atMs: Math.round(strike.atMs),
      overMs: Math.round(strike.overMs),
    })),
  };
}

function percentile(sorted: readonly number[], share: number): number | undefined {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return value === undefined ? undefined : Math.round(value);
}

/** Cases of each kind that are shown. */
const maxShown = 4;

const wrong: ReadonlySet<Fate> = new Set(['lost', 'unfinished', 'missed', 'failed']);

/** What a person needs to look into what went wrong: single messages, with the fault before them. */
export function evidence({
  answers,
  messages,
  record,
  stranded,
  strikes,
}: ChaosRun): readonly string[] {
  const shown = new Map<string, number>();
  const room = (kind: string) => {
    const count = (shown.get(kind) ?? 0) + 1;
    shown.set(kind, count);
    return count <= maxShown;
  };
  const since = (atMs: number) => {
    const before = strikes.findLast((strike) => strike.atMs <= atMs);
    if (!before) return 'before any fault';
    return `${seconds(atMs - before.atMs)} after ${before.fault} (${before.target})`;
  };
  const lines: string[] = [];
  for (const message of messages) {
    const fate = fateOf(message, strikes);
    const isStranded = stranded.includes(message.id) && room('stranded');
    const isWrong = wrong.has(fate) && room(fate);
    if (!isStranded && !isWrong) continue;
    const text = answers.get(message.id)?.text ?? '';
    const end = text === '' ? '' : `: …${JSON.stringify(text.slice(-70))}`;
    const what = isStranded ? `${fate}, left in JOBS,` : fate;
    lines.push(
      `${what} ${message.id}, said at ${seconds(message.dueMs)}, ${since(message.dueMs)}${end}`,
    );
  }
  for (const { rule, detail } of record.violations) {
    if (rule === 'unanswered' || !room(rule)) continue;
    const asked = messages.find(({ id }) => id === detail.toId);
    const when = asked ? `, said at ${seconds(asked.dueMs)}, ${since(asked.dueMs)}` : '';
    lines.push(`${rule} ${JSON.stringify(detail)}${when}`);
  }
  return lines;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
