import type { Clock, Random } from '@starling/clock';
import { ConfigError } from '@starling/config';
import { ConnectionPool } from '@starling/pool';
import { registerSecret } from '@starling/telemetry';
import { HttpProvider } from './http-provider.ts';
import { ollamaDialect } from './ollama-dialect.ts';
import { openaiDialect } from './openai-dialect.ts';
import type { Provider } from './provider.ts';
import { type ProviderConfig, providerChoice } from './provider-choice.ts';
import { RetryingProvider } from './retrying-provider.ts';

/**
 * The provider of the settings: dialect, pool, timers, retries. Opens no connection yet.
 * @throws {ConfigError} when no provider is configured
 */
export function providerFrom(
  config: ProviderConfig,
  parts: { readonly clock: Clock; readonly random: Random },
): Provider {
  const choice = providerChoice(config);
  if (!choice) {
    throw new ConfigError([
      {
        variable: 'OPENAI_BASE_URL',
        value: '',
        problem: 'set it, OPENROUTER_API_KEY or OLLAMA_HOST to say which language model answers',
      },
    ]);
  }
  const keys = { openrouter: config.openrouterKey, openai: config.openaiKey, ollama: undefined };
  const key = keys[choice.name];
  if (key !== undefined) registerSecret(key);
  const pool = new ConnectionPool({
    origin: new URL(choice.baseUrl).origin,
    clock: parts.clock,
    min: Math.min(config.poolMin, config.poolMax),
    max: config.poolMax,
    maxWaiters: config.poolMaxWaiters,
    acquireTimeoutMs: config.acquireTimeoutMs,
    connectTimeoutMs: config.connectTimeoutMs,
    lifetimeMs: config.poolLifetimeMs,
    idleMs: config.poolIdleMs,
  });
  const direct = new HttpProvider({
    name: choice.name,
    defaultModel: choice.model,
    dialect:
      choice.name === 'ollama' ? ollamaDialect() : openaiDialect({ baseUrl: choice.baseUrl, key }),
    pool,
    clock: parts.clock,
    limits: config,
    secret: key,
  });
  return new RetryingProvider(direct, { ...parts, maxRetries: config.retries });
}
