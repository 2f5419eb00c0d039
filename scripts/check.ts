/** `npm run check [-- --json]`: everything about the work tree that can be told without running it. */
import { spawnSync } from 'node:child_process';
import { systemClock } from '@starling/clock';
import { type Step, steps } from './check/steps.ts';
import { root } from './work-tree.ts';

/** A tool's complaints may be long; what is over this is cut by the system with an error. */
const maxOutputBytes = 64 * 1024 * 1024;

const json = process.argv.includes('--json');
const say = json ? console.error : console.log;

const results = steps.map((step) => {
  const result = run(step);
  say(
    `${result.ok ? '✔' : '✖'} ${step.name.padEnd(18)}${(result.ms / 1000).toFixed(1).padStart(6)} s`,
  );
  if (!result.ok) say(`${result.output.trimEnd()}\n`);
  return { name: step.name, ok: result.ok, ms: Math.round(result.ms) };
});

const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
const ok = failed.length === 0;
if (json) console.log(JSON.stringify({ ok, steps: results }));
else say(ok ? `check: all ${steps.length} steps passed` : `check: failed: ${failed.join(', ')}`);
process.exitCode = ok ? 0 : 1;

function run({ program, args }: Step): { ok: boolean; ms: number; output: string } {
  const startedMs = systemClock.monotonicMs();
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: maxOutputBytes,
  });
  return {
    ok: status === 0,
    ms: systemClock.monotonicMs() - startedMs,
    output: [stdout, stderr, error?.message].filter(Boolean).join('\n'),
  };
}
