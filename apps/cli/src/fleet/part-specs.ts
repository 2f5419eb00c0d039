/** Each process of the local fleet: which app it is and what it is told by its environment. */
import {
  botSection,
  discordEmulatorSection,
  ingressSection,
  instanceSection,
  llmEmulatorSection,
  natsSection,
  providerSection,
  redisSection,
} from '@starling/config';
import type { SupervisedChild } from '@starling/lifecycle';
import type { Role } from './child-environment.ts';
import type { FleetPorts } from './plan.ts';

/** How one process is started. */
export interface PartSpec {
  readonly name: string;
  readonly app:
    | 'balancer'
    | 'bot'
    | 'discord-emulator'
    | 'embedded'
    | 'ingress'
    | 'llm-emulator'
    | 'worker';
  readonly role: Role;
  readonly settings: Readonly<Record<string, string>>;
  /** For people; what the process told with its readiness may stand in it. */
  readonly detail: string | ((ready: Readonly<Record<string, unknown>>) => string);
  readonly readyTimeoutMs?: number;
  /** The shortest pause before it is started again. */
  readonly minPauseMs?: number;
}

/** Addresses that every role needs. */
export interface CommonSettings {
  readonly natsUrl: string;
  readonly redisUrl: string;
}

/** A bot that logs in one cluster after the other may wait for identify lanes of 5 s. */
const botReadyTimeoutMs = 180_000;

/**
 * A bot that begins again does not know when the one before it last identified. Discord wants 5 s
 * between two sessions of one lane; a quarter more is for the way there.
 */
const identifyRestMs = 5_250;

/** A model that the provider emulator has. */
const emulatedModel = 'sim-small';

/** Shards of the simulated bot: two clusters of two, so that events do go to different processes. */
const emulatedShards = { total: '4', perCluster: '2' };

export function llmEmulator(ports: FleetPorts): PartSpec {
  return {
    name: 'llm-emulator',
    app: 'llm-emulator',
    role: 'other',
    settings: { [llmEmulatorSection.port.variable]: String(ports.llm) },
    detail: 'plays the provider',
  };
}

export function discordEmulator(ports: FleetPorts): PartSpec {
  return {
    name: 'discord-emulator',
    app: 'discord-emulator',
    role: 'other',
    settings: {
      [discordEmulatorSection.restPort.variable]: String(ports.discordRest),
      [discordEmulatorSection.gatewayPort.variable]: String(ports.discordGateway),
    },
    detail: 'plays Discord',
  };
}

/** @param llm the provider emulator; undefined with a real provider */
export function worker(
  n: number,
  common: CommonSettings,
  llm: SupervisedChild | undefined,
): PartSpec {
  const name = `worker-${n}`;
  return {
    name,
    app: 'worker',
    role: 'worker',
    settings: {
      ...addresses(common),
      [instanceSection.id.variable]: name,
      ...(llm && emulatedProvider(llm)),
    },
    detail: 'runs jobs',
  };
}

export function balancer(n: number, common: CommonSettings): PartSpec {
  const name = `balancer-${n}`;
  return {
    name,
    app: 'balancer',
    role: 'other',
    settings: { ...addresses(common), [instanceSection.id.variable]: name },
    detail: 'hands jobs to workers',
  };
}

/** The HTTP front door; without API keys it answers this machine only. */
export function ingress(ports: FleetPorts, common: CommonSettings): PartSpec {
  return {
    name: 'ingress',
    app: 'ingress',
    role: 'other',
    settings: {
      ...addresses(common),
      [instanceSection.id.variable]: 'ingress-1',
      [ingressSection.port.variable]: String(ports.ingress),
    },
    detail: ({ host, port }) => `OpenAI-compatible: http://${host}:${port}/v1`,
  };
}

/** @param discord the Discord emulator; undefined with the real one */
export function bot(common: CommonSettings, discord: SupervisedChild | undefined): PartSpec {
  return {
    name: 'bot',
    app: 'bot',
    role: 'bot',
    settings: { ...addresses(common), ...(discord && emulatedDiscord(discord)) },
    detail: discord ? '2 clusters of 2 shards' : 'ClusterManager and its clusters',
    readyTimeoutMs: botReadyTimeoutMs,
    minPauseMs: identifyRestMs,
  };
}

/** Every role in one process. */
export function embedded(emulators: {
  readonly llm: SupervisedChild | undefined;
  readonly discord: SupervisedChild | undefined;
}): PartSpec {
  const { llm, discord } = emulators;
  return {
    name: 'starling',
    app: 'embedded',
    role: 'all',
    settings: { ...(llm && emulatedProvider(llm)), ...(discord && emulatedDiscord(discord)) },
    detail: 'bot, balancer and worker in one process',
    readyTimeoutMs: botReadyTimeoutMs,
    minPauseMs: identifyRestMs,
  };
}

function emulatedProvider(llm: SupervisedChild): Record<string, string> {
  return {
    [providerSection.openaiBaseUrl.variable]: `${readyText(llm, 'url')}/v1`,
    [providerSection.model.variable]: emulatedModel,
  };
}

function emulatedDiscord(discord: SupervisedChild): Record<string, string> {
  return {
    [botSection.apiUrl.variable]: `${readyText(discord, 'restUrl')}/api`,
    [botSection.botToken.variable]: readyText(discord, 'botToken'),
    [botSection.shards.variable]: emulatedShards.total,
    [botSection.shardsPerCluster.variable]: emulatedShards.perCluster,
  };
}

function addresses({ natsUrl, redisUrl }: CommonSettings): Record<string, string> {
  return { [natsSection.url.variable]: natsUrl, [redisSection.url.variable]: redisUrl };
}

/** A text that a child told with its readiness. */
export function readyText(child: SupervisedChild, key: string): string {
  const value = child.ready[key];
  if (typeof value === 'string') return value;
  throw new Error(`${child.name} was ready without telling its ${key}`);
}
