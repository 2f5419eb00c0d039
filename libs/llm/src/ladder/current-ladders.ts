import { ConfigError, providerSection } from '@starling/config';
import { registerSecret } from '@starling/telemetry';
import type { ModelSource } from '../model-source.ts';
import type { ConnectionShelf } from './connection-shelf.ts';
import { LadderBook } from './ladder-book.ts';
import type { LadderConfig } from './ladder-config.ts';

/** The ladders that stand now. Calls that began on the ones before end on them. */
export class CurrentLadders implements AsyncDisposable {
  readonly #shelf: ConnectionShelf;
  #config: LadderConfig;
  #book: LadderBook;
  /** Ladders whose last calls are under way. */
  readonly #retiring = new Set<LadderBook>();

  constructor(config: LadderConfig, shelf: ConnectionShelf) {
    this.#shelf = shelf;
    this.#config = config;
    registerKeys(config);
    this.#book = new LadderBook(config, shelf);
  }

  get config(): LadderConfig {
    return this.#config;
  }

  get book(): LadderBook {
    return this.#book;
  }

  /** The names that may be asked for: every ladder is served, and answers without being loaded first. */
  get models(): ModelSource {
    return {
      read: async () => {
        const names = this.#config.models.map(({ name }) => name);
        return { served: names, loaded: names };
      },
    };
  }

  /** @throws {ConfigError} when the process has seen too many keys; what stands stays */
  replace(config: LadderConfig): void {
    const before = this.#book;
    try {
      registerKeys(config);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = 'has brought more keys than one process keeps apart; restart the worker';
      const { variable } = providerSection.providersFile;
      throw new ConfigError([{ variable, value: '(hidden)', problem }]);
    }
    this.#config = config;
    this.#book = new LadderBook(config, this.#shelf);
    this.#retiring.add(before);
    void before.retire().then(() => this.#retiring.delete(before));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const books = [this.#book, ...this.#retiring];
    await Promise.all(books.map((book) => book[Symbol.asyncDispose]()));
  }
}

/** From here on no log and no span shows them. @throws {RangeError} beyond what is kept apart */
function registerKeys({ providers }: LadderConfig): void {
  for (const { keys } of providers) for (const { value } of keys) registerSecret(value);
}
