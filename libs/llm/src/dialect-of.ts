import { anthropicDialect } from './anthropic-dialect.ts';
import type { Dialect } from './dialect.ts';
import type { ProviderPlace } from './ladder/ladder-config.ts';
import { ollamaDialect } from './ollama-dialect.ts';
import { openaiDialect } from './openai-dialect.ts';

/** How a provider is spoken to. */
export function dialectOf(
  { baseUrl, dialect }: Pick<ProviderPlace, 'baseUrl' | 'dialect'>,
  key: string | undefined,
): Dialect {
  switch (dialect) {
    case 'anthropic':
      return anthropicDialect({ baseUrl, key });
    case 'openai':
      return openaiDialect({ baseUrl, key });
    case 'ollama':
      return ollamaDialect();
  }
}
