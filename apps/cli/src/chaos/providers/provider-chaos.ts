/** The scenarios of chaos that strike providers instead of processes. */
import { systemClock } from '@starling/clock';
import type { CommandContext } from '../../command.ts';
import { startProviderFleet } from './provider-fleet.ts';
import { runFailover } from './run-failover.ts';
import { type ProviderFaultsRun, runProviderFaults } from './run-provider-faults.ts';

export const providerScenarios = {
  'provider-faults': 'rungs of a ladder that fail 30 % of their calls, one of two, then both',
  failover: 'a question for each way in which a provider can fail',
} as const;

export type ProviderScenario = keyof typeof providerScenarios;

export function isProviderScenario(name: string): name is ProviderScenario {
  return Object.hasOwn(providerScenarios, name);
}

/** Runs one scenario on a fleet of its own. @returns its line of JSON */
export async function runProviderChaos(
  scenario: ProviderScenario,
  options: {
    readonly seed: number;
    /** Of each load, after its first hundred questions. */
    readonly seconds: number;
    readonly logs: string | undefined;
    readonly context: Pick<CommandContext, 'environment' | 'root' | 'say' | 'stop'>;
  },
): Promise<Readonly<Record<string, unknown>> & { readonly ok: boolean }> {
  const { logs, seconds, seed } = options;
  const { environment, root, say, stop: signal } = options.context;
  const clock = systemClock;
  await using fleet = await startProviderFleet({ clock, environment, logs, root, say, signal });
  if (scenario === 'failover') {
    const scenarios = await runFailover({ clock, fleet, say, seed, signal });
    return { ok: scenarios.every(({ pass }) => pass), scenario, seed, scenarios };
  }
  const runs: ProviderFaultsRun[] = [];
  for (const faultyRungs of [1, 2] as const) {
    const run = await runProviderFaults({ clock, faultyRungs, fleet, seconds, seed, signal });
    say(`  ${run.ok ? '✔' : '✖'} ${JSON.stringify(run)}`);
    runs.push(run);
  }
  return { ok: runs.every(({ ok }) => ok), scenario, seed, runs };
}
