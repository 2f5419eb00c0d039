/** `npm run bench -- NAME`: this product against named baselines in the same run. */
import { resolve } from 'node:path';
import { systemClock } from '@starling/clock';
import { abort } from './benches/abort.ts';
import { balance } from './benches/balance.ts';
import { ingress } from './benches/ingress.ts';
import { limits } from './benches/limits/limits.ts';
import { runBench } from './run-bench.ts';

const stop = new AbortController();
const onSignal = () => stop.abort(new Error('stopped'));
// Once: a second signal ends this process at once, and the kernel its children with it.
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);

process.exitCode = await runBench({
  benchmarks: [ingress, balance, abort, limits],
  args: process.argv.slice(2),
  root: resolve(import.meta.dirname, '../../..'),
  environment: process.env,
  clock: systemClock,
  out: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${line}\n`),
  stop: stop.signal,
});
