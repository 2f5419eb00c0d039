/**
 * What a worker says of its models: what its operator named, or else what its provider lists, looked up
 * at the start and again and again. A worker that knows of none serves any; a list that was heard once
 * stands while the provider is silent, since what is out of reach is not out of stock.
 */
import type { Clock } from '@starling/clock';
import type { LoadReport } from '@starling/contracts';
import { type ModelSource, ModelSourceError, type ToldModels } from '@starling/llm';
import type { Logger } from '@starling/telemetry';

type Models = LoadReport['models'];

export interface ModelWatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly source: ModelSource | undefined;
  /** What the operator named; `any` among them lets every name through. */
  readonly named: readonly string[] | undefined;
  readonly everyMs: number;
  /** Called whenever what is known has changed. */
  readonly onKnown: (models: Models) => void;
}

/** The start waits no longer for a provider; it may be one that comes up later. */
const startWaitMs = 2_000;
/** A provider that never answered is asked again after this long, if that is sooner. */
const retryMs = 5_000;
/** A look that takes longer is given up. */
const lookMs = 5_000;
/** The load report's own bounds (`loadReportContract`). */
const maxNames = 100;
const maxNameLength = 200;

/** See the module's header. */
export class ModelWatch implements Disposable {
  readonly #parts: ModelWatchParts;
  readonly #ending = new AbortController();
  #known = '';
  #heard = false;
  #problem: string | undefined;
  #timer: Disposable | undefined;

  constructor(parts: ModelWatchParts) {
    this.#parts = parts;
  }

  /** Resolves when the provider has answered, or has had its time to. Never rejects. */
  async start(): Promise<void> {
    const { clock, named } = this.#parts;
    if (named?.includes(anyModel)) return;
    if (named) this.#learn({ served: [...named], loaded: [...named] });
    const waited = new AbortController();
    const { signal } = waited;
    await Promise.race([this.#look(), clock.sleep(startWaitMs, { signal }).catch(() => undefined)]);
    waited.abort();
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#timer?.[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    const { clock, everyMs, source } = this.#parts;
    if (!source) return;
    const late = new AbortController();
    const timer = clock.schedule(lookMs, () => late.abort());
    try {
      const told = await source.read(AbortSignal.any([late.signal, this.#ending.signal]));
      if (this.#ending.signal.aborted) return;
      this.#heard = true;
      this.#problem = undefined;
      this.#learn(this.#ours(told));
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#unheard(error instanceof ModelSourceError ? error.code : 'timeout');
    } finally {
      timer[Symbol.dispose]();
    }
    const delayMs = this.#heard ? everyMs : Math.min(everyMs, retryMs);
    this.#timer = clock.schedule(delayMs, () => void this.#look());
  }

  /** The operator's list says what is served, and the provider's which of it must be loaded first. */
  #ours(told: ToldModels): Models {
    const { named } = this.#parts;
    const { served, loaded } = told;
    if (!named) return bounded(told);
    const cold = new Set(served.filter((name) => !loaded.includes(name)));
    return { served: [...named], loaded: named.filter((name) => !cold.has(name)) };
  }

  #learn(models: Models): void {
    const known = JSON.stringify(models ?? null);
    if (known === this.#known) return;
    this.#known = known;
    const { log, onKnown } = this.#parts;
    const { served = [], loaded = [] } = models ?? {};
    log.info('models.known', { any: !models, served: served.length, loaded: loaded.length });
    onKnown(models);
  }

  /** One line for each new reason: a server without a list stays without one. */
  #unheard(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#parts.log.info('models.unknown', { problem });
  }
}

const anyModel = 'any';

/**
 * Undefined for a list that a report does not hold, since one with a hole in it would refuse what is
 * served; and for an empty one, since a provider without any model is a provider that does not say.
 */
function bounded({ loaded, served }: ToldModels): Models {
  const names = [...new Set(served)];
  const fits =
    names.length > 0 &&
    names.length <= maxNames &&
    names.every(({ length }) => length <= maxNameLength);
  return fits
    ? { served: names, loaded: names.filter((name) => loaded.includes(name)) }
    : undefined;
}
