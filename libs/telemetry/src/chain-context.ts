import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';

/** Values set one on another before they are put together anew; a message has about ten. */
const maxDepth = 32;

/**
 * An OpenTelemetry context as a chain of values. The API's own copies its map and makes three functions
 * for every value that is set, and a message sets several in each process.
 */
class ChainContext implements Context {
  readonly #before: ChainContext | undefined;
  readonly #key: symbol | undefined;
  readonly #value: unknown;
  readonly #depth: number;

  constructor(before?: ChainContext, key?: symbol, value?: unknown) {
    this.#before = before;
    this.#key = key;
    this.#value = value;
    this.#depth = before === undefined ? 0 : before.#depth + 1;
  }

  getValue(key: symbol): unknown {
    for (let at: ChainContext | undefined = this; at; at = at.#before) {
      if (at.#key === key) return at.#value;
    }
    return undefined;
  }

  setValue(key: symbol, value: unknown): Context {
    const before = this.#depth < maxDepth ? this : this.#shortened();
    return new ChainContext(before, key, value);
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined);
  }

  /** The same values, each once. */
  #shortened(): ChainContext {
    const values = new Map<symbol, unknown>();
    for (let at: ChainContext | undefined = this; at; at = at.#before) {
      if (at.#key !== undefined && !values.has(at.#key)) values.set(at.#key, at.#value);
    }
    let short = new ChainContext();
    for (const [key, value] of values) {
      if (value !== undefined) short = new ChainContext(short, key, value);
    }
    return short;
  }
}

/** A context without any value. */
export const emptyContext: Context = new ChainContext();

/** The context to build on: ours in the place of the API's empty one. */
export function chained(context: Context): Context {
  return context === ROOT_CONTEXT ? emptyContext : context;
}
