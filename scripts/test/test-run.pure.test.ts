import { describe, expect, it } from 'vitest';
import { type Rung, rungNames, rungOf, stagesFor } from '../test-run/rungs.ts';
import { closingLine, summary } from '../test-run/summary.ts';
import { rows, tally, type VitestReport } from '../test-run/tally.ts';

const file = (name: string, statuses: string[], extra: object = {}) => ({
  name: `/clone/${name}`,
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, at) => ({ fullName: `test ${at}`, status })),
  ...extra,
});

const reports: VitestReport[] = [
  {
    testResults: [
      file('libs/a/test/a.pure.test.ts', ['passed', 'passed', 'failed']),
      file('libs/b/test/b.pure.test.ts', ['passed', 'skipped', 'todo']),
      file('libs/b/test/b.contract.test.ts', [], { status: 'failed', message: 'No module\nstack' }),
    ],
  },
  { testResults: [file('apps/c/test/c.sim.test.ts', ['passed'])] },
];

describe('rungs', () => {
  it('tells a file’s rung by its name', () => {
    expect(rungOf('libs/a/test/a-b.contract.test.ts')).toBe('contract');
    expect(rungOf('libs/a/test/a.test.ts')).toBeUndefined();
    expect(rungOf('libs/a/test/a.unit.test.ts')).toBeUndefined();
  });

  it('runs every chosen rung in exactly one stage', () => {
    const rungsOf = (chosen: readonly Rung[]) =>
      stagesFor(chosen).flatMap((row) => row.map(({ rungs }) => rungs));
    expect(rungsOf(rungNames).flat()).toEqual(rungNames);
    expect(rungsOf(['contract', 'sim'])).toEqual([['contract'], ['sim']]);
  });
});

describe('the tally of a run', () => {
  it('counts by rung, and a file that did not load as a failed test', () => {
    const { counts, failures } = tally(reports, '/clone');
    expect(Object.fromEntries(counts)).toEqual({
      pure: { passed: 3, failed: 1, skipped: 2 },
      contract: { passed: 0, failed: 1, skipped: 0 },
      sim: { passed: 1, failed: 0, skipped: 0 },
    });
    expect(failures).toEqual([
      { file: 'libs/a/test/a.pure.test.ts', test: 'test 2' },
      { file: 'libs/b/test/b.contract.test.ts', test: 'the file itself: No module' },
    ]);
  });

  it('has rows that add up, with what was wrong with the run itself among them [I1]', () => {
    const lines = rows(tally(reports, '/clone'), rungNames, ['process 7 was left behind']);
    expect(lines.map(([label]) => label)).toEqual([
      'pure',
      'contract',
      'scenario',
      'simulation',
      'the run',
      'total',
    ]);
    expect(lines.at(-1)?.[1]).toEqual({ passed: 4, failed: 3, skipped: 2 });
  });

  it('ends with one plain line, after the names of what failed', () => {
    const result = tally(reports, '/clone');
    const text = summary({
      ...result,
      rows: rows(result, rungNames, []),
      problems: [],
      seconds: 125,
    });
    expect(text.split('\n').at(-1)).toBe('Tests: 4 passed, 2 failed, 2 skipped');
    expect(text).toContain('libs/a/test/a.pure.test.ts: test 2');
    expect(text).toContain('in 2 min 5 s');
    expect(closingLine({ passed: 1, failed: 0, skipped: 0 })).toBe(
      'Tests: 1 passed, 0 failed, 0 skipped',
    );
  });
});
