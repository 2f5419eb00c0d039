/** What a start would run, decided from the configuration alone: pure, so that it is tested as a table. */
import {
  botSection,
  type ConfigOf,
  type Environment,
  localSection,
  parseConfig,
  providerSection,
} from '@starling/config';
import { type ProviderConfig, providerChoice } from '@starling/llm';

/** Loopback ports of a fleet; 0 asks the system for a free one. */
export interface FleetPorts {
  readonly control: number;
  readonly nats: number;
  readonly redis: number;
  readonly discordRest: number;
  readonly discordGateway: number;
  readonly llm: number;
  readonly ingress: number;
}

/** Who plays Discord and the provider: the real one, or our emulator. */
export type Counterpart =
  | { readonly kind: 'real'; readonly what: string }
  | { readonly kind: 'simulated' };

export interface FleetPlan {
  readonly ports: FleetPorts;
  readonly balancers: number;
  readonly workers: number;
  readonly directory: string;
  readonly discord: Counterpart;
  readonly provider: Counterpart;
}

/** Every port free for the system to choose: for demos and tests that run beside a started fleet. */
export const anyPorts: FleetPorts = {
  control: 0,
  nats: 0,
  redis: 0,
  discordRest: 0,
  discordGateway: 0,
  llm: 0,
  ingress: 0,
};

/** The seven ports of `npm start`, from one base, in the order that the configuration's page gives. */
function portsFrom(base: number): FleetPorts {
  return {
    control: base,
    nats: base + 1,
    redis: base + 2,
    discordRest: base + 3,
    discordGateway: base + 4,
    llm: base + 5,
    ingress: base + 6,
  };
}

/**
 * Reads the environment. A Discord token makes Discord real; any provider variable makes the provider
 * real.
 * @throws {ConfigError} naming each variable that does not parse
 */
export function planFleet(environment: Environment): FleetPlan {
  const local = parseConfig(localSection, environment);
  return {
    ports: portsFrom(local.portBase),
    balancers: local.balancers,
    workers: local.workers,
    directory: local.directory,
    discord: discordOf(parseConfig(botSection, environment)),
    provider: providerOf(parseConfig(providerSection, environment)),
  };
}

function discordOf({ botToken, apiUrl }: ConfigOf<typeof botSection>): Counterpart {
  return botToken === undefined ? { kind: 'simulated' } : { kind: 'real', what: apiUrl };
}

function providerOf(config: ProviderConfig): Counterpart {
  if (config.providersFile !== undefined) {
    return { kind: 'real', what: `the providers of ${config.providersFile}` };
  }
  const choice = providerChoice(config);
  return choice
    ? { kind: 'real', what: `${choice.name}, ${choice.model} at ${choice.baseUrl}` }
    : { kind: 'simulated' };
}
