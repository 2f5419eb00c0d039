import type { Buckets } from '@starling/buckets';
import type { Clock, Random } from '@starling/clock';
import { ConfigError, type Environment } from '@starling/config';
import { counter, log } from '@starling/telemetry';
import { ProvidersWatch } from './file/providers-watch.ts';
import { BreakerBoard, type BreakerChange } from './ladder/breaker-board.ts';
import { ConnectionShelf } from './ladder/connection-shelf.ts';
import { CurrentLadders } from './ladder/current-ladders.ts';
import { LadderProvider } from './ladder/ladder-provider.ts';
import { RetryBudget } from './ladder/retry-budget.ts';
import { ladderOfSettings } from './ladder-of-settings.ts';
import { withinLimits } from './limits/within-limits.ts';
import { type ModelSource, modelSourceFrom } from './model-source.ts';
import type { Provider } from './provider.ts';
import type { ProviderConfig } from './provider-choice.ts';
import { countUsage } from './usage-metrics.ts';

/** The language models of a process. Disposing it closes their connections. */
export interface OpenedProvider extends Provider {
  /** What is known of its rungs, to be shared with the rest of the fleet. */
  readonly board: BreakerBoard;
  /** Where it is looked up which models there are; undefined where nobody can say. */
  readonly models: ModelSource | undefined;
}

export interface ProviderParts {
  readonly clock: Clock;
  readonly random: Random;
  /** What the keys of a file of providers are looked up in; empty unless given. */
  readonly environment?: Environment;
  /** Where the fleet's limits are kept; wanted when the settings have any. */
  readonly buckets?: Buckets | undefined;
}

/**
 * The provider of the settings: dialects, pools, timers, breakers, retries. Opens no connection yet.
 * @throws {ConfigError} when no provider is configured, or the file of providers is wrong
 */
export function providerFrom(config: ProviderConfig, parts: ProviderParts): OpenedProvider {
  const { clock, environment = {}, random } = parts;
  const { providersEveryMs: everyMs, providersFile: path } = config;
  const watch =
    path === undefined ? undefined : new ProvidersWatch({ clock, environment, everyMs, path });
  const first = watch ? watch.read() : ladderOfSettings(config);
  if (!first) {
    throw new ConfigError([
      {
        variable: 'OPENAI_BASE_URL',
        value: '',
        problem:
          'set it, OPENROUTER_API_KEY, OLLAMA_HOST or STARLING_PROVIDERS_FILE to say which language model answers',
      },
    ]);
  }
  const limited = withinLimits(config, { ...parts, hasOthers: path !== undefined });
  const shelf = new ConnectionShelf({ clock, settings: config, limited });
  const ladders = new CurrentLadders(first, shelf);
  watch?.start((changed) => ladders.replace(changed));
  const board = new BreakerBoard({ clock, onChange: tellChange });
  const provider = new LadderProvider({
    ...{ board, clock, random, ladders: () => ladders.book },
    budget: new RetryBudget(clock),
    maxRetries: config.retries,
    onUsage: (used) => countUsage(used, ladders.config),
  });
  return Object.assign(provider, {
    board,
    models: watch ? ladders.models : modelSourceFrom(config),
    async [Symbol.asyncDispose]() {
      watch?.[Symbol.dispose]();
      await ladders[Symbol.asyncDispose]();
    },
  });
}

const changes = counter('starling.llm.breaker_changes');

/** One line for each change of a rung: who reads them sees an outage begin and end. */
function tellChange({ forMs, rungId, state }: BreakerChange, from: 'here' | 'fleet'): void {
  changes.add(1, { state, from });
  const { info, warn } = log('llm');
  const tell = state === 'closed' ? info : warn;
  tell(`rung.${state}`, { rung: rungId, from, forMs: Math.round(forMs) });
}
