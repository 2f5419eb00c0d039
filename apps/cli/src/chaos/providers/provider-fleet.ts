/**
 * A fleet whose workers have ladders: the providers are all played by one emulator, each with a model of its
 * own, and are written anew, while the fleet runs, for each thing that is tried.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@starling/clock';
import {
  botSection,
  discordEmulatorSection,
  type Environment,
  providerSection,
  workerSection,
} from '@starling/config';
import { freePort } from '@starling/harness';
import { anyPorts, planFleet } from '../../fleet/plan.ts';
import { simulatedOnly } from '../../fleet/simulated-only.ts';
import { startFleet } from '../../fleet/start-fleet.ts';
import { DiscordSide } from '../discord-side.ts';
import { createSpeakers } from '../speakers.ts';
import { ProviderDoor } from './provider-door.ts';

/** Short, so that a scenario takes seconds; milliseconds. The product's own are 5 to 120 s. */
export const timers = {
  connectMs: 1_000,
  firstTokenMs: 1_000,
  idleMs: 1_000,
  totalMs: 4_000,
  hardCapMs: 6_000,
} as const;

const lookEveryMs = 100;
/** Six looks of every worker at its file, on a machine that does other things as well. */
const takenUpMs = 600;
const workers = 2;
const slots = 24;
const world = { guilds: 100, people: 4_000 };

/** One provider of a ladder, as the emulator plays it; the first one is preferred. */
export interface PlayedProvider {
  /** The emulator's model that answers. */
  readonly model: string;
  /** Another address than the emulator's. */
  readonly baseUrl?: string;
  /** Names of files with keys, in the fleet's folder. */
  readonly keyFiles?: readonly string[];
}

export interface ProviderFleet extends AsyncDisposable {
  readonly discord: DiscordSide;
  readonly provider: ProviderDoor;
  readonly speaker: ReturnType<typeof createSpeakers>;
  /** Where the emulator listens: `http://127.0.0.1:PORT`. */
  readonly emulatorUrl: string;
  /** Writes a key's file. */
  writeKey(name: string, key: string): void;
  /**
   * Gives the workers a new ladder, whose rungs nobody knows yet, and waits until they have it.
   * @param name what the providers are called
   */
  climb(name: string, ladder: readonly PlayedProvider[]): Promise<void>;
}

export interface ProviderFleetOptions {
  readonly environment: Environment;
  readonly root: string;
  /** Where logs are kept; a folder that goes with the fleet when absent. */
  readonly logs?: string | undefined;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts it; nobody's own settings, keys or providers have a part in it. */
export async function startProviderFleet(options: ProviderFleetOptions): Promise<ProviderFleet> {
  const { clock, logs, root, say, signal } = options;
  await using starting = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'starling-providers-'));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'providers.json');
  const port = await freePort();
  const emulatorUrl = `http://127.0.0.1:${port}`;
  const write = (name: string, ladder: readonly PlayedProvider[]) => {
    const text = JSON.stringify(providersOf(name, ladder, emulatorUrl));
    writeFileSync(file, text);
  };
  write('start', [{ model: 'sim-small' }]);
  const environment = { ...simulatedOnly(options.environment), ...settings(file) };
  const plan = planFleet(environment);
  const { fleet } = await startFleet('local', {
    plan: {
      ...{ ...plan, workers, provider: { kind: 'simulated' } },
      ports: { ...anyPorts, llm: port },
    },
    ...{ environment, root, directory: logs ?? folder, clock, say, signal },
  });
  starting.use(fleet);
  const { llmUrl, peopleUrl } = fleet;
  if (!llmUrl || !peopleUrl) throw new Error('it needs the local fleet, simulated');
  const discord = new DiscordSide(peopleUrl);
  const speaker = createSpeakers(await discord.guilds());
  const owned = starting.move();
  return {
    ...{ discord, speaker, emulatorUrl, provider: new ProviderDoor(llmUrl) },
    writeKey: (name, key) => writeFileSync(join(folder, name), `${key}\n`),
    async climb(name, ladder) {
      write(name, ladder);
      await clock.sleep(takenUpMs, { signal });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function providersOf(name: string, ladder: readonly PlayedProvider[], emulatorUrl: string) {
  const named = ladder.map((played, n) => ({ ...played, provider: `${name}-${n + 1}` }));
  return {
    providers: named.map(({ baseUrl = `${emulatorUrl}/v1`, keyFiles = [], provider }) => ({
      ...{ name: provider, dialect: 'openai', baseUrl },
      keys: keyFiles.map((keyFile) => ({ file: keyFile })),
    })),
    models: [{ name: 'chat', ladder: named.map(({ model, provider }) => ({ provider, model })) }],
  };
}

function settings(file: string): Record<string, string> {
  const ms = Object.entries({
    [providerSection.providersEveryMs.variable]: lookEveryMs,
    [providerSection.connectTimeoutMs.variable]: timers.connectMs,
    [providerSection.firstTokenTimeoutMs.variable]: timers.firstTokenMs,
    [providerSection.idleTimeoutMs.variable]: timers.idleMs,
    [providerSection.totalTimeoutMs.variable]: timers.totalMs,
    [providerSection.hardCapMs.variable]: timers.hardCapMs,
    [workerSection.slots.variable]: slots,
    // Faults make calls begin late; how many run at once is not what is tried here.
    [workerSection.minSlots.variable]: slots,
    [providerSection.poolMax.variable]: slots,
    [discordEmulatorSection.guilds.variable]: world.guilds,
    [discordEmulatorSection.people.variable]: world.people,
    [discordEmulatorSection.globalPerSecond.variable]: 500,
    [botSection.requestsPerSecond.variable]: 450,
  });
  return {
    [providerSection.providersFile.variable]: file,
    ...Object.fromEntries(ms.map(([name, value]) => [name, String(value)])),
  };
}
