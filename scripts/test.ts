/**
 * `npm test [-- RUNG…] [-- --json]`: every rung of the test ladder, or those named. Fails when a
 * test fails, when a rung runs none, and when a process is left behind.
 */
import { randomUUID } from 'node:crypto';
import { systemClock } from '@starling/clock';
import { locateServers } from '@starling/harness';
import { endLeftovers, leftovers } from './test-run/leftovers.ts';
import { runVitest } from './test-run/run-vitest.ts';
import { isRung, type Rung, rungNames, rungs, stagesFor } from './test-run/rungs.ts';
import { summary } from './test-run/summary.ts';
import { rows, tally, type VitestReport } from './test-run/tally.ts';
import { root } from './work-tree.ts';

const words = process.argv.slice(2);
const json = words.includes('--json');
const named = words.filter((word) => word !== '--json');
const unknown = named.filter((word) => !isRung(word));
if (unknown.length > 0) {
  console.error(`✖ no such rung: ${unknown.join(', ')} (there are ${rungNames.join(', ')})`);
  process.exit(2);
}
const chosen: Rung[] =
  named.length > 0 ? rungNames.filter((rung) => named.includes(rung)) : rungNames;

/** With --json standard output belongs to the closing line alone. */
const say = json ? console.error : console.log;
const startedMs = systemClock.monotonicMs();
const runId = randomUUID();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort(signal));
}

const reports: VitestReport[] = [];
const problems: string[] = [];

const ready = chosen.every((rung) => rung === 'pure') || (await findServers());
for (const row of ready ? stagesFor(chosen) : []) {
  if (stop.signal.aborted) break;
  for (const { what } of row) say(`ℹ ${what}`);
  const options = { runId, output: json ? 2 : 1, signal: stop.signal };
  for (const { report, problem } of await Promise.all(row.map((one) => runVitest(one, options)))) {
    reports.push(report);
    if (problem !== undefined && !stop.signal.aborted) problems.push(problem);
  }
  await sweep();
}
finish();

/** Without them no rung is run: half a run that looks like a whole one helps nobody. */
async function findServers(): Promise<boolean> {
  try {
    const { origin } = await locateServers({ onProgress: (line) => say(`ℹ ${line}`) });
    say(`✔ nats-server and redis-server found (${origin})`);
    return true;
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return false;
  }
}

async function sweep(): Promise<void> {
  const left = await leftovers(runId);
  endLeftovers(left);
  if (stop.signal.aborted) return;
  problems.push(...left.map(({ pid, command }) => `process ${pid} was left behind: ${command}`));
}

function finish(): void {
  if (stop.signal.aborted) problems.push(`stopped by ${stop.signal.reason}`);
  const result = tally(reports, root);
  for (const rung of ready && !stop.signal.aborted ? chosen : []) {
    if (!result.counts.has(rung)) problems.push(`the rung ${rungs[rung]} ran no test`);
  }
  const lines = rows(result, chosen, problems);
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  const { failures } = result;
  say(`\n${summary({ rows: lines, failures, problems, seconds })}`);
  const ok = failures.length === 0 && problems.length === 0;
  if (json) {
    console.log(JSON.stringify({ ok, counts: Object.fromEntries(lines), failures, problems }));
  }
  process.exitCode = ok ? 0 : 1;
}
