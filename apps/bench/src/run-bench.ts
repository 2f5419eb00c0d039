import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Clock } from '@starling/clock';
import { startProvider } from './baselines/provider.ts';
import type { Benchmark } from './benchmark.ts';
import { startLoadGenerator } from './load/load-generator.ts';
import { promisesKept, rowLine } from './report/row.ts';

/** What `npm run bench` is run with. */
export interface BenchCommand {
  readonly benchmarks: readonly Benchmark[];
  readonly args: readonly string[];
  /** The project's root folder. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** The one line of JSON, and nothing else. */
  readonly out: (line: string) => void;
  /** Progress and problems, for people. */
  readonly say: (line: string) => void;
  readonly stop: AbortSignal;
}

/** Fewer rounds have no median to speak of, more take long. */
const rounds = { default: 5, min: 1, max: 50 };
const seconds = { min: 1, max: 7_200 };

/**
 * Runs one benchmark.
 * @returns the exit code: 0 when every promise was kept, 1 when not or on a failure, 2 for a wrong
 * command line, 130 when it was stopped
 */
export async function runBench(command: BenchCommand): Promise<number> {
  const { benchmarks, out, say, stop } = command;
  const chosen = choose(command);
  if (typeof chosen === 'string') {
    say(`✖ ${chosen}`);
    for (const line of usage(benchmarks)) say(line);
    return 2;
  }
  try {
    const machine = machineNow();
    if (machine.loadBefore > busyLoad) {
      say(`ℹ the machine is busy (load ${machine.loadBefore}): the numbers are worth little`);
    }
    const { rows, facts } = await run(command, chosen);
    for (const row of rows) say(rowLine(row));
    const ok = promisesKept(rows);
    if (chosen.json)
      out(JSON.stringify({ ok, bench: chosen.benchmark.name, rows, machine, ...facts }));
    return ok ? 0 : 1;
  } catch (error) {
    if (stop.aborted) {
      say('stopped');
      return 130;
    }
    const reason = error instanceof Error ? error.message : String(error);
    say(`✖ ${error instanceof Error ? (error.stack ?? reason) : reason}`);
    if (chosen.json)
      out(JSON.stringify({ ok: false, bench: chosen.benchmark.name, error: reason }));
    return 1;
  }
}

/** More than this many runnable processes beside ours, and what is measured is them. */
const busyLoad = 0.5;

/** What the numbers were measured on. @returns `loadBefore` averaged over the last minute */
function machineNow() {
  return {
    cpus: availableParallelism(),
    node: process.version,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

interface Chosen {
  readonly benchmark: Benchmark;
  readonly json: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly cpuProfDir: string | undefined;
}

async function run({ root, environment, clock, say, stop }: BenchCommand, chosen: Chosen) {
  await using stack = new AsyncDisposableStack();
  const provider = stack.use(await startProvider());
  const generator = stack.use(await startLoadGenerator());
  say(`${chosen.benchmark.name}: ${chosen.rounds} rounds, ${chosen.seconds} s under load`);
  return await chosen.benchmark.run({
    clock,
    environment,
    cacheDir: join(root, '.cache', 'bench'),
    generator,
    provider,
    rounds: chosen.rounds,
    loadMs: chosen.seconds * 1000,
    ...(chosen.cpuProfDir !== undefined && { cpuProfDir: chosen.cpuProfDir }),
    say,
    signal: stop,
  });
}

function choose({ benchmarks, args }: BenchCommand): Chosen | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  const [name, ...more] = positionals;
  const benchmark = benchmarks.find((one) => one.name === name);
  if (!benchmark || more.length > 0) {
    return name === undefined
      ? 'name a benchmark'
      : `there is no benchmark ${positionals.join(' ')}`;
  }
  const wantedRounds = whole(values.rounds, rounds.default);
  if (wantedRounds < rounds.min || wantedRounds > rounds.max || Number.isNaN(wantedRounds)) {
    return `--rounds ${values.rounds}: give a whole number from ${rounds.min} to ${rounds.max}`;
  }
  const wantedSeconds = whole(values.seconds, benchmark.defaultSeconds);
  if (wantedSeconds < seconds.min || wantedSeconds > seconds.max || Number.isNaN(wantedSeconds)) {
    return `--seconds ${values.seconds}: give a whole number from ${seconds.min} to ${seconds.max}`;
  }
  return {
    benchmark,
    json: values.json,
    rounds: wantedRounds,
    seconds: wantedSeconds,
    cpuProfDir: values['cpu-prof'] === undefined ? undefined : resolve(values['cpu-prof']),
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  });
}

function whole(given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  return /^\d+$/.test(given) ? Number(given) : Number.NaN;
}

function usage(benchmarks: readonly Benchmark[]): readonly string[] {
  return [
    'Usage: npm run bench -- NAME [--rounds N] [--seconds N] [--json] [--cpu-prof FOLDER]',
    ...benchmarks.map(
      ({ name, summary, defaultSeconds }) => `  ${name}  ${summary} (${defaultSeconds} s)`,
    ),
    `  --rounds N   interleaved rounds of each comparison (${rounds.default})`,
    '  --seconds N  time under load, over all rounds and targets',
    '  --json       ends in one line of JSON',
    '  --cpu-prof FOLDER  each process of the fleet leaves a V8 profile there, which costs it some of',
    '               its speed; `npm run profile -- FOLDER` says where the time went',
  ];
}
