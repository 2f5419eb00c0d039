/** The fleet that chaos strikes: the local one, with room for the load and nothing of the operator's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '@starling/clock';
import {
  botSection,
  discordEmulatorSection,
  type Environment,
  providerSection,
  workerSection,
} from '@starling/config';
import type { RunningFleet } from '../fleet/fleet.ts';
import { anyPorts, planFleet } from '../fleet/plan.ts';
import { simulatedOnly } from '../fleet/simulated-only.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { type CuttableLink, openLink } from './cuttable-link.ts';

/** Discord's global limit, as for a bot whose limit was raised; the bot keeps below it. */
const globalPerSecond = 500;
const botRequestsPerSecond = 450;
/** Enough guilds and people that no bound of one is met: 20 messages a second over 200 channels. */
const world = { guilds: 100, people: 4_000 };
/** Twice of what is asked, so that each worker's share is enough for its part, and for more. */
const requestsPerMinute = 2_400;
/** Any one of each may die: three workers carry 25 streams, two balancers are still several. */
const workers = 4;
const slots = 12;
const balancers = 3;

/** A started fleet with its links. Disposing it ends both and, unless they were asked for, its logs. */
export interface ChaosFleet extends AsyncDisposable {
  readonly fleet: RunningFleet;
  readonly links: ReadonlyMap<string, CuttableLink>;
}

export interface ChaosFleetOptions {
  readonly environment: Environment;
  readonly root: string;
  /** Where logs are kept; a folder that goes with the fleet when absent. */
  readonly logs?: string;
  /** Puts a link between each worker and NATS. */
  readonly withLinks: boolean;
  /** Workers share a limit of their provider, in Redis; it is not met. */
  readonly withLimits: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export async function startChaosFleet(options: ChaosFleetOptions): Promise<ChaosFleet> {
  const { clock = systemClock, logs, root, say, signal } = options;
  await using starting = new AsyncDisposableStack();
  const directory = logs ? resolve(logs) : await mkdtemp(join(tmpdir(), 'starling-chaos-'));
  if (!logs) starting.defer(() => rm(directory, { recursive: true, force: true }));
  const environment = { ...simulatedOnly(options.environment), ...settings(options) };
  const links = new Map<string, CuttableLink>();
  const linksEnd = starting.use(new AsyncDisposableStack());
  const linked = async (part: string, natsUrl: string) => {
    if (!part.startsWith('worker-')) return natsUrl;
    const link = linksEnd.use(await openLink(Number(new URL(natsUrl).port)));
    links.set(part, link);
    return `nats://127.0.0.1:${link.port}`;
  };
  const { fleet } = await startFleet('local', {
    plan: { ...planFleet(environment), ports: anyPorts, workers, balancers },
    environment,
    root,
    directory,
    clock,
    say,
    signal,
    ...(options.withLinks && { natsUrlOf: linked }),
  });
  starting.use(fleet);
  const owned = starting.move();
  return { fleet, links, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function settings({ withLimits }: Pick<ChaosFleetOptions, 'withLimits'>): Record<string, string> {
  return {
    ...(withLimits && { [providerSection.requestsPerMinute.variable]: String(requestsPerMinute) }),
    [discordEmulatorSection.guilds.variable]: String(world.guilds),
    [discordEmulatorSection.people.variable]: String(world.people),
    [discordEmulatorSection.globalPerSecond.variable]: String(globalPerSecond),
    [botSection.requestsPerSecond.variable]: String(botRequestsPerSecond),
    [workerSection.slots.variable]: String(slots),
  };
}
