import { type Environment, parseConfig, providerSection } from '@starling/config';
import { providerChoice } from '@starling/llm';

/** Ollama's own default address (github.com/ollama/ollama, docs/faq). */
const defaultHost = 'http://127.0.0.1:11434';
/** A local server answers at once or is not there. */
const timeoutMs = 300;

/**
 * Where no provider is configured and an Ollama with a model runs on this machine, uses that.
 * @returns the environment, with the address of the Ollama where there is one
 */
export async function findLocalOllama(
  environment: Environment,
  say: (line: string) => void,
): Promise<Environment> {
  const config = parseConfig(providerSection, environment);
  if (config.providersFile !== undefined || providerChoice(config)) return environment;
  try {
    const response = await fetch(`${defaultHost}/api/tags`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { models } = (await response.json()) as { models?: readonly unknown[] };
    if (!models?.length) return environment;
  } catch {
    return environment;
  }
  say(`an Ollama answers at ${defaultHost}: using it as the provider`);
  return { ...environment, [providerSection.ollamaHost.variable]: defaultHost };
}
