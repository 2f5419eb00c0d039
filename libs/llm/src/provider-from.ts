import type { Clock, Random } from '@starling/clock';
import { ConfigError } from '@starling/config';
import { BreakerBoard } from './ladder/breaker-board.ts';
import { ConnectionShelf } from './ladder/connection-shelf.ts';
import { LadderBook } from './ladder/ladder-book.ts';
import { LadderProvider } from './ladder/ladder-provider.ts';
import { RetryBudget } from './ladder/retry-budget.ts';
import { ladderOfSettings } from './ladder-of-settings.ts';
import type { Provider } from './provider.ts';
import type { ProviderConfig } from './provider-choice.ts';

/** The language models of a process. Disposing it closes their connections. */
export interface OpenedProvider extends Provider {
  /** What is known of its rungs, to be shared with the rest of the fleet. */
  readonly board: BreakerBoard;
}

/**
 * The provider of the settings: dialects, pools, timers, breakers, retries. Opens no connection yet.
 * @throws {ConfigError} when no provider is configured
 */
export function providerFrom(
  config: ProviderConfig,
  parts: { readonly clock: Clock; readonly random: Random },
): OpenedProvider {
  const ladders = ladderOfSettings(config);
  if (!ladders) {
    throw new ConfigError([
      {
        variable: 'OPENAI_BASE_URL',
        value: '',
        problem: 'set it, OPENROUTER_API_KEY or OLLAMA_HOST to say which language model answers',
      },
    ]);
  }
  const { clock, random } = parts;
  const shelf = new ConnectionShelf({ clock, settings: config });
  const book = new LadderBook(ladders, shelf);
  const board = new BreakerBoard({ clock });
  const provider = new LadderProvider({
    ...{ board, clock, random, ladders: () => book },
    budget: new RetryBudget(clock),
    maxRetries: config.retries,
  });
  return Object.assign(provider, { board });
}
