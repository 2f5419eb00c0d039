import type { ConfigOf, providerSection } from '@starling/config';

/** The settings of `providerSection`, parsed. */
export type ProviderConfig = ConfigOf<typeof providerSection>;

/** Which provider the settings mean; holds no key. */
export interface ProviderChoice {
  readonly name: 'openrouter' | 'openai' | 'ollama';
  readonly baseUrl: string;
  readonly model: string;
}

const openrouterUrl = 'https://openrouter.ai/api/v1';
const ollamaPort = '11434';

/**
 * The provider that the settings name, the most deliberate choice first: OpenRouter, an
 * OpenAI-compatible server, Ollama. Undefined when they name none.
 */
export function providerChoice(config: ProviderConfig): ProviderChoice | undefined {
  if (config.openrouterKey !== undefined) {
    return {
      name: 'openrouter',
      baseUrl: openrouterUrl,
      model: config.model ?? 'openrouter/auto',
    };
  }
  if (config.openaiBaseUrl !== undefined) {
    return { name: 'openai', baseUrl: config.openaiBaseUrl, model: config.model ?? 'gpt-4o-mini' };
  }
  if (config.ollamaHost !== undefined) {
    return {
      name: 'ollama',
      baseUrl: ollamaUrl(config.ollamaHost),
      model: config.model ?? 'llama3.2',
    };
  }
  return undefined;
}

/** Ollama's variable is an address to listen on as well: no scheme, no port, or every interface. */
function ollamaUrl(host: string): string {
  const hasScheme = /^https?:\/\//.test(host);
  const url = new URL(hasScheme ? host : `http://${host}`);
  if (url.port === '' && !hasScheme) url.port = ollamaPort;
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url.origin;
}
