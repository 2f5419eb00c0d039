import type { LadderConfig } from './ladder/ladder-config.ts';
import { type ProviderConfig, providerChoice } from './provider-choice.ts';

/** The one rung that the settings name without a file of providers; undefined when they name none. */
export function ladderOfSettings(config: ProviderConfig): LadderConfig | undefined {
  const choice = providerChoice(config);
  if (!choice) return undefined;
  const { baseUrl, model, name } = choice;
  const keys = {
    openrouter: { name: 'OPENROUTER_API_KEY', value: config.openrouterKey },
    openai: { name: 'OPENAI_API_KEY', value: config.openaiKey },
    ollama: { name: '', value: undefined },
  };
  const { name: keyName, value } = keys[name];
  return {
    providers: [
      {
        ...{ name, baseUrl, dialect: name === 'ollama' ? 'ollama' : 'openai' },
        keys: value === undefined ? [] : [{ name: keyName, value }],
      },
    ],
    models: [{ name: model, ladder: [{ provider: name, model }] }],
    defaultModel: model,
    takesAnyModel: true,
  };
}
