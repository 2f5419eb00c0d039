import { botSection, type Environment, providerSection, type Section } from '@starling/config';

/** For runs that cost nothing and reach nobody: no token, no provider of the environment has a part in them. */
export function simulatedOnly(environment: Environment): Environment {
  const secretsAndAddresses: readonly Section[] = [botSection, providerSection];
  const left = new Set(
    secretsAndAddresses.flatMap((section) =>
      Object.values(section)
        .filter(({ secret, accepts }) => secret || accepts.startsWith('URL'))
        .map(({ variable }) => variable),
    ),
  );
  left.add(providerSection.ollamaHost.variable);
  left.add(providerSection.providersFile.variable);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !left.has(name)));
}
