import { type Rung, rungOf, rungs } from './rungs.ts';

/** What came of one rung's tests. A file that did not load counts as one failed test. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Failure {
  readonly file: string;
  readonly test: string;
}

/** What came of a whole run: counts by rung, and the names of what failed. */
export interface Tally {
  readonly counts: ReadonlyMap<Rung, Counts>;
  readonly failures: readonly Failure[];
}

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Counts the reports of a run by rung. Names are given relative to `root`. */
export function tally(reports: readonly VitestReport[], root: string): Tally {
  const counts = new Map<Rung, Counts>();
  const failures: Failure[] = [];
  for (const { name, status, message, assertionResults } of reports.flatMap(
    ({ testResults }) => testResults,
  )) {
    const file = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name;
    const failed = assertionResults.filter((test) => test.status === 'failed');
    failures.push(...failed.map((test) => ({ file, test: test.fullName })));
    const didNotLoad = status === 'failed' && failed.length === 0;
    if (didNotLoad) failures.push({ file, test: `the file itself: ${firstLine(message)}` });

    const rung = rungOf(name);
    if (rung === undefined) continue;
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    counts.set(
      rung,
      add(counts.get(rung) ?? noCounts, {
        passed,
        failed: failed.length + (didNotLoad ? 1 : 0),
        skipped: assertionResults.length - passed - failed.length,
      }),
    );
  }
  return { counts, failures };
}

/** Counts of two groups together. */
function add(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** The table's rows: each rung, then the run itself if something was wrong with it, then the sum. */
export function rows(
  { counts }: Tally,
  chosen: readonly Rung[],
  problems: readonly string[],
): [label: string, counts: Counts][] {
  const parts: [string, Counts][] = chosen.map((rung) => [
    rungs[rung],
    counts.get(rung) ?? noCounts,
  ]);
  if (problems.length > 0) parts.push(['the run', { ...noCounts, failed: problems.length }]);
  return [...parts, ['total', parts.map(([, part]) => part).reduce(add, noCounts)]];
}

function firstLine(message: string | undefined): string {
  return message?.split('\n', 1)[0] || 'it failed outside any test';
}
