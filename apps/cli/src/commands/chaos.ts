import { systemClock, systemRandom } from '@starling/clock';
import { type ParsedArguments, UsageError } from '../arguments.ts';
import { startChaosFleet } from '../chaos/chaos-fleet.ts';
import { chaosLine } from '../chaos/chaos-line.ts';
import { evidence } from '../chaos/evidence.ts';
import {
  faultMeanings,
  isScenario,
  type ScenarioName,
  scenarioNames,
} from '../chaos/fault-kinds.ts';
import { judge } from '../chaos/judge.ts';
import {
  isProviderScenario,
  type ProviderScenario,
  providerScenarios,
  runProviderChaos,
} from '../chaos/providers/provider-chaos.ts';
import { runChaos } from '../chaos/run-chaos.ts';
import type { Command, CommandContext } from '../command.ts';

const allNames = [...scenarioNames, ...Object.keys(providerScenarios)];
/** Seeds are shown and typed by people. */
const maxSeed = 1_000_000;
/** Longer than a worker's lease and two looks at the ledger together. */
const defaultHoldSeconds = 6;

/** Faults on the processes of a fleet of its own, under load, judged by what the emulators saw. */
export const chaos: Command = {
  name: 'chaos',
  usage: 'SCENARIO [--seconds N] [--seed N] [--hold-seconds N] [--logs FOLDER] [--json]',
  summary: `faults on real processes and providers, judged by the emulators: ${allNames.join(', ')}`,
  options: {
    seconds: {
      type: 'string',
      value: 'N',
      doc: 'how long the load lasts; 60, a storm 120, provider-faults 30 each',
    },
    seed: { type: 'string', value: 'N', doc: 'repeats the choice of faults and targets' },
    'hold-seconds': { type: 'string', value: 'N', doc: 'how long a pause or a cut lasts; 6' },
    logs: { type: 'string', value: 'FOLDER', doc: 'keeps the logs of every process there' },
    json: { type: 'boolean', doc: 'end in one line of JSON' },
  },
  async run(args, context) {
    const [named = ''] = args.words;
    if (isProviderScenario(named) && args.words.length === 1) {
      return await strikeProviders(named, args, context);
    }
    const scenario = scenarioOf(args);
    const seconds =
      args.integer('seconds', { min: 5, max: 3_600 }) ?? (scenario === 'storm' ? 120 : 60);
    const seed = args.integer('seed', { min: 0, max: maxSeed }) ?? systemRandom.integer(maxSeed);
    const holdMs = 1000 * (args.integer('hold-seconds', { min: 1, max: 60 }) ?? defaultHoldSeconds);
    const logs = args.text('logs');
    const { environment, root, say, stop: signal } = context;
    say(
      `chaos ${scenario}, seed ${seed}${scenario === 'storm' ? '' : `: ${faultMeanings[scenario]}`}`,
    );

    await using fleet = await startChaosFleet({
      environment,
      root,
      say,
      signal,
      withLimits: scenario.includes('redis'),
      withLinks: scenario === 'cut-network' || scenario === 'storm',
      ...(logs !== undefined && { logs }),
    });
    const clock = systemClock;
    const run = await runChaos(fleet, { scenario, seed, seconds, holdMs, clock, say, signal });
    await fleet[Symbol.asyncDispose]();

    const verdict = judge(run);
    for (const line of evidence(run)) say(`  ${line}`);
    for (const problem of verdict.problems) say(`✖ ${problem}`);
    const line = chaosLine({ scenario, seed, holdMs }, run, verdict);
    if (args.flag('json')) context.out(JSON.stringify(line));
    else for (const [name, value] of Object.entries(line)) say(`${name}: ${JSON.stringify(value)}`);
    return verdict.problems.length === 0 ? 0 : 1;
  },
};

async function strikeProviders(
  scenario: ProviderScenario,
  args: ParsedArguments,
  context: CommandContext,
): Promise<number> {
  const seed = args.integer('seed', { min: 0, max: maxSeed }) ?? systemRandom.integer(maxSeed);
  const seconds = args.integer('seconds', { min: 5, max: 3_600 }) ?? 30;
  context.say(`chaos ${scenario}, seed ${seed}: ${providerScenarios[scenario]}`);
  const line = await runProviderChaos(scenario, {
    context,
    seed,
    seconds,
    logs: args.text('logs'),
  });
  if (args.flag('json')) context.out(JSON.stringify(line));
  return line.ok ? 0 : 1;
}

function scenarioOf({ words }: ParsedArguments): ScenarioName {
  const [given = '', ...others] = words;
  // Beside the other faults of Redis one looks for it under this name.
  const name = given === 'redis-restart' ? 'restart-redis' : given;
  if (isScenario(name) && others.length === 0) return name;
  throw new UsageError(`${words.join(' ') || 'no scenario'}: give one of ${allNames.join(', ')}`);
}
