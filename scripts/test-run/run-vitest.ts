import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineAfter, systemClock } from '@starling/clock';
import { root } from '../work-tree.ts';
import { runVariable } from './leftovers.ts';
import type { Stage } from './rungs.ts';
import type { VitestReport } from './tally.ts';

/** A stage that takes longer hangs: the whole of `npm test` is held to eight minutes. */
const stageLimitMs = 10 * 60_000;

/** How one stage ended. `problem` is what vitest itself had to say against the run. */
export interface StageResult {
  readonly report: VitestReport;
  readonly problem: string | undefined;
}

/** Runs one stage; its output goes to `output` (a file descriptor). An abort ends it. */
export async function runVitest(
  { rungs }: Stage,
  options: { readonly runId: string; readonly output: number; readonly signal: AbortSignal },
): Promise<StageResult> {
  const reportPath = join(root, '.cache', `test-${options.runId}-${rungs.join('-')}.json`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...rungs.flatMap((rung) => ['--project', rung]),
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath}`,
    ],
    {
      cwd: root,
      env: { ...process.env, [runVariable]: options.runId },
      stdio: ['ignore', options.output, 2],
    },
  );
  using deadline = deadlineAfter(systemClock, stageLimitMs);
  const ended = await end(child, AbortSignal.any([deadline.signal, options.signal]));
  const report = readReport(reportPath);
  rmSync(reportPath, { force: true });
  return {
    report: report ?? { testResults: [] },
    problem: problemOf({ ended, report, timedOut: deadline.signal.aborted }),
  };
}

function end(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const stop = () => child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      resolve(killedBy ?? `code ${code}`);
    });
    if (signal.aborted) stop();
  });
}

function readReport(path: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

/** Vitest fails as well on errors outside any test, which its report does not count. */
function problemOf(parts: {
  readonly ended: string;
  readonly report: VitestReport | undefined;
  readonly timedOut: boolean;
}): string | undefined {
  if (parts.timedOut) return `vitest did not end within ${stageLimitMs / 60_000} minutes`;
  if (parts.report === undefined) return `vitest ended with ${parts.ended} and left no report`;
  const failed = parts.report.testResults.some(({ status }) => status === 'failed');
  if (parts.ended === 'code 0' || failed) return undefined;
  return `vitest ended with ${parts.ended} though no test failed: an error outside any test, above`;
}
