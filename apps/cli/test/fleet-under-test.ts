import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '@starling/clock';
import { baseEnvironment } from '@starling/harness';
import type { RunningFleet } from '../src/fleet/fleet.ts';
import { anyPorts, planFleet } from '../src/fleet/plan.ts';
import { startFleet } from '../src/fleet/start-fleet.ts';
import { DiscordSide } from './discord-side.ts';
import { ProviderSide } from './provider-side.ts';

/** A whole fleet on free ports, with the doors of what plays Discord and the provider for it. */
export interface FleetUnderTest extends AsyncDisposable {
  readonly fleet: RunningFleet;
  readonly discord: DiscordSide;
  readonly provider: ProviderSide;
  /** The id of a part's process that runs now. @throws when there is none */
  pidOf(part: string): number;
  /** What a part has logged. */
  logOf(part: string): Promise<string>;
}

const root = resolve(import.meta.dirname, '../../..');

/** @param settings variables beside those that `npm start` itself sets */
export async function startFleetUnderTest(
  mode: 'local' | 'embedded',
  settings: Readonly<Record<string, string>> = {},
): Promise<FleetUnderTest> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'starling-scenario-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const environment = { ...baseEnvironment(), STARLING_LOG_FORMAT: 'json', ...settings };
  const { fleet } = await startFleet(mode, {
    plan: { ...planFleet(environment), ports: anyPorts },
    environment,
    root,
    directory,
    clock: systemClock,
    say: () => {},
    signal: new AbortController().signal,
  });
  starting.use(fleet);
  const { llmUrl, peopleUrl } = fleet;
  if (!llmUrl || !peopleUrl) throw new Error('a scenario needs both emulators');
  const owned = starting.move();
  return {
    fleet,
    discord: new DiscordSide(peopleUrl),
    provider: new ProviderSide(llmUrl),
    pidOf(part) {
      const pid = fleet.parts().find(({ name }) => name === part)?.pid;
      if (pid === undefined) throw new Error(`${part} does not run`);
      return pid;
    },
    logOf: (part) => readFile(join(directory, 'logs', `${part}.log`), 'utf8'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
