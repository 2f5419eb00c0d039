import type { ScenarioName } from './fault-kinds.ts';
import type { Verdict } from './judge.ts';
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
    takenOver: others.takenOver,
    stopped: others.stopped,
    withdrawn: others.withdrawn,
    takenBack: others.takenBack,
    streamedOn: others.streamedOn,
    late: others.late,
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
