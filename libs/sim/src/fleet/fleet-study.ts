import type { BreakName } from './broken-rules.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { faultNames, rescueNames, Tally } from './tally.ts';

/** What to run. */
export interface FleetStudySize {
  readonly seed: number;
  readonly seeds: number;
  readonly broken?: BreakName;
  /** Called after each seed. */
  readonly onSeed?: (result: SeedResult) => void;
}

/** What all seeds came to. */
export interface FleetStudy {
  /** Without a broken rule: nothing violated, and each fault and rescue happened. With one: it was found. */
  readonly ok: boolean;
  readonly seeds: number;
  readonly violations: number;
  readonly asked: number;
  readonly answered: number;
  /** Streams opened at the provider, those of repeated attempts among them. */
  readonly providerCalls: number;
  /** Of the questions outside the flood, how many had just been asked in their guild, in percent. */
  readonly repeatedPercent: number;
  /** Answers that came from the call of another question; and in percent of the questions outside the flood. */
  readonly callsSaved: number;
  readonly savedPercent: number;
  readonly events: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly rescues: Readonly<Record<string, number>>;
  /** Faults and rescues that never happened: the run has tested less than it says. */
  readonly neverHappened: readonly string[];
  readonly broken?: BreakName;
  readonly firstViolation?: string;
  /** The command that runs the first failing seed again. */
  readonly replay?: string;
}

/** Runs the seeds, one after another. */
export function fleetStudy({ seed, seeds, broken, onSeed }: FleetStudySize): FleetStudy {
  const total = new Tally();
  const sums = { violations: 0, asked: 0, answered: 0, events: 0 };
  let failed: SeedResult | undefined;
  let ran = 0;
  for (let run = 0; run < seeds; run += 1) {
    const result = runSeed(seed + run, broken);
    ran += 1;
    total.add(result.tally);
    sums.violations += result.violations.length;
    sums.asked += result.asked;
    sums.answered += result.answered;
    sums.events += result.events;
    if (result.violations.length > 0) failed ??= result;
    onSeed?.(result);
    // One finding is what was asked for.
    if (broken && failed) break;
  }
  const faults = Object.fromEntries(faultNames.map((name) => [name, total.of(name)]));
  const rescues = Object.fromEntries(rescueNames.map((name) => [name, total.of(name)]));
  const callsSaved = total.of('answered by the call of another');
  const neverHappened = [...faultNames, ...rescueNames].filter((name) => total.of(name) === 0);
  const [first] = failed?.violations ?? [];
  return {
    ok: broken ? failed !== undefined : failed === undefined && neverHappened.length === 0,
    seeds: ran,
    ...sums,
    providerCalls: total.providerCalls,
    callsSaved,
    repeatedPercent: percent(total.repeated, total.usual),
    savedPercent: percent(callsSaved, total.usual),
    faults,
    rescues,
    neverHappened,
    ...(broken && { broken }),
    ...(failed &&
      first && {
        firstViolation: `${first.promise}: ${first.detail} (at ${Math.round(first.atMs)} ms)`,
        replay: replayOf(failed.seed, broken),
      }),
  };
}

/** With one digit behind the point. */
function percent(part: number, whole: number): number {
  return Math.round((1_000 * part) / Math.max(1, whole)) / 10;
}

function replayOf(seed: number, broken: BreakName | undefined): string {
  const swap = broken ? ` --break ${broken}` : '';
  return `npm run -s sim -- fleet --seed ${seed} --seeds 1${swap} --json`;
}
