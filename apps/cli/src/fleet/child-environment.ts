import { readFileSync } from 'node:fs';
import { botSection, type Environment, providerSection, type Section } from '@starling/config';
import { keyVariablesIn } from '@starling/llm';

/** Who is given which secrets; `all` is every role in one process. */
export type Role = 'all' | 'bot' | 'worker' | 'other';

const variablesOf = (section: Section) => Object.values(section).map(({ variable }) => variable);

const botVariables = new Set(variablesOf(botSection));
const providerVariables = new Set(variablesOf(providerSection));

/** Keys of providers as they are commonly called: the file of providers may name them later on. */
const usualKey = /_API_KEY$/;

/** The variables that the file of providers takes keys from; none when there is no file, or none that reads. */
function fileKeys(environment: Environment): ReadonlySet<string> {
  const path = environment[providerSection.providersFile.variable];
  if (!path) return new Set();
  try {
    return new Set(keyVariablesIn(readFileSync(path, 'utf8')));
  } catch {
    // The worker says what is wrong with it.
    return new Set();
  }
}

/**
 * What a child process is given of our environment. The bot token reaches only the bot, and provider
 * keys only the workers: a process that does not need a secret cannot leak it.
 */
export function childEnvironment(environment: Environment, role: Role): Record<string, string> {
  const kept: Record<string, string> = {};
  const keys = fileKeys(environment);
  const isProviders = (name: string) =>
    providerVariables.has(name) || keys.has(name) || usualKey.test(name);
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (botVariables.has(name) && role !== 'bot' && role !== 'all') continue;
    if (isProviders(name) && role !== 'worker' && role !== 'all') continue;
    kept[name] = value;
  }
  return kept;
}
