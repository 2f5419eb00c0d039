/** The ladders of one configuration, on connections that it holds until it is retired and its last call has ended. */
import type { PoolStats } from '@starling/pool';
import type { ConnectionHold, ConnectionShelf } from './connection-shelf.ts';
import {
  keyIdOf,
  type LadderConfig,
  type LadderStep,
  type ProviderPlace,
} from './ladder-config.ts';
import type { LadderLease, Ladders } from './ladder-provider.ts';
import type { Ladder, Rung } from './rung.ts';

interface Opened {
  readonly place: ProviderPlace;
  readonly keys: readonly {
    readonly id: string;
    readonly name: string;
    readonly hold: ConnectionHold;
  }[];
}

/** See the module's header. */
export class LadderBook implements Ladders, AsyncDisposable {
  readonly defaultModel: string;
  /** Name of the provider that is preferred for the default model. */
  readonly name: string;
  /** Streams that the model with the fewest connections carries at once. */
  readonly maxConcurrent: number;
  readonly #config: LadderConfig;
  readonly #providers: ReadonlyMap<string, Opened>;
  readonly #ladders: ReadonlyMap<string, Ladder>;
  #leases = 0;
  #retired: PromiseWithResolvers<void> | undefined;

  constructor(config: LadderConfig, shelf: ConnectionShelf) {
    this.#config = config;
    this.defaultModel = config.defaultModel;
    this.#providers = new Map(
      config.providers.map((place) => [place.name, openedOn(shelf, place)] as const),
    );
    this.#ladders = new Map(
      config.models.map(({ ladder, name }) => [name, ladder.map((step) => this.#rungs(step))]),
    );
    this.name = this.#ladders.get(config.defaultModel)?.[0]?.[0]?.providerName ?? '';
    this.maxConcurrent = Math.min(
      ...[...this.#ladders.values()].flat().map((keys) => streamsOf(keys)),
    );
  }

  lease(): LadderLease {
    this.#leases += 1;
    let held = true;
    return {
      choice: this.#config.choice,
      ladderOf: (model) => this.#ladderOf(model ?? this.defaultModel),
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#leases -= 1;
        if (this.#leases === 0) this.#retired?.resolve();
      },
    };
  }

  stats(): PoolStats {
    const all = this.#holds().map(({ provider }) => provider.stats());
    const sum = (value: (stats: PoolStats) => number) =>
      all.reduce((total, stats) => total + value(stats), 0);
    const lent = sum((stats) => stats.lent);
    const opened = sum((stats) => stats.opened);
    return {
      max: sum(({ max }) => max),
      size: sum(({ size }) => size),
      borrowed: sum(({ borrowed }) => borrowed),
      waiters: sum(({ waiters }) => waiters),
      ...{ lent, opened, reuse: lent === 0 ? 1 : Math.max(0, 1 - opened / lent) },
    };
  }

  /** Lets the connections go once the last call has ended. */
  async retire(): Promise<void> {
    this.#retired ??= Promise.withResolvers();
    if (this.#leases === 0) this.#retired.resolve();
    await this.#retired.promise;
    await this[Symbol.asyncDispose]();
  }

  /** Lets the connections go now; what streams on them fails unless another configuration holds them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#holds().map((hold) => hold[Symbol.asyncDispose]()));
  }

  #ladderOf(model: string): Ladder | undefined {
    const ladder = this.#ladders.get(model);
    if (ladder || !this.#config.takesAnyModel) return ladder;
    const [provider] = this.#config.providers;
    return provider && [this.#rungs({ provider: provider.name, model })];
  }

  #rungs({ model, price, provider }: LadderStep): readonly Rung[] {
    const opened = this.#providers.get(provider);
    return (opened?.keys ?? []).map(({ hold, id: keyId, name: keyName }) => ({
      ...{ id: `${keyId} ${model}`, keyId, keyName, model, price },
      ...{ providerName: provider, provider: hold.provider },
    }));
  }

  #holds(): readonly ConnectionHold[] {
    return [...this.#providers.values()].flatMap(({ keys }) => keys.map(({ hold }) => hold));
  }
}

function openedOn(shelf: ConnectionShelf, place: ProviderPlace): Opened {
  const keys = place.keys.length === 0 ? [undefined] : place.keys;
  return {
    place,
    keys: keys.map((key) => {
      const name = key?.name ?? '';
      return { id: keyIdOf(place, key), name, hold: shelf.hold(place, key) };
    }),
  };
}

function streamsOf(keys: readonly Rung[]): number {
  return keys.reduce((sum, { provider }) => sum + provider.maxConcurrent, 0);
}
