import { botSection, type Environment, providerSection, type Section } from '@starling/config';

/** Who is given which secrets; `all` is every role in one process. */
export type Role = 'all' | 'bot' | 'worker' | 'other';

const variablesOf = (section: Section) => Object.values(section).map(({ variable }) => variable);

const botVariables = new Set(variablesOf(botSection));
const providerVariables = new Set(variablesOf(providerSection));

/**
 * What a child process is given of our environment. The bot token reaches only the bot, and provider
 * keys only the workers: a process that does not need a secret cannot leak it.
 */
export function childEnvironment(environment: Environment, role: Role): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (botVariables.has(name) && role !== 'bot' && role !== 'all') continue;
    if (providerVariables.has(name) && role !== 'worker' && role !== 'all') continue;
    kept[name] = value;
  }
  return kept;
}
