/**
 * Configuration is parsed once, at the composition root, into a frozen value. A section is a plain
 * record of fields; each field knows its variable, its default, its unit and what it trades, and
 * `docs/configuration.md` is generated from them.
 */

/** `process.env`, or a test's stand-in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting. */
export interface Field<T> {
  /** Name of the environment variable. */
  readonly variable: string;
  /** `undefined` means that the setting is optional. */
  readonly default: T;
  /** What it does and what a higher or lower value trades, one or two sentences. */
  readonly doc: string;
  /** For people: `milliseconds`, `1 to 1000`, `text`, `URL`. */
  readonly accepts: string;
  /** Its value reaches no log, error or page. */
  readonly secret: boolean;
  /** @returns the value, or the remedy as `{ problem }` */
  readonly parse: (text: string) => { readonly value: T } | { readonly problem: string };
}

/** A named group of settings that one part needs. */
export type Section = Readonly<Record<string, Field<unknown>>>;

export type ConfigOf<S extends Section> = {
  readonly [Name in keyof S]: S[Name] extends Field<infer T> ? T : never;
};

export interface ConfigProblem {
  readonly variable: string;
  /** The offending value; `(hidden)` for a secret, and for the user and password of an address. */
  readonly value: string;
  readonly problem: string;
}

/** Every problem of the environment at once, each with variable, value and remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ variable, value, problem }) => `${variable}=${JSON.stringify(value)}: ${problem}`)
        .join('\n'),
    );
    this.problems = problems;
  }
}

/**
 * Reads a section from the environment. An empty variable counts as unset.
 * @throws {ConfigError} naming every variable that does not parse
 */
export function parseConfig<S extends Section>(section: S, environment: Environment): ConfigOf<S> {
  const problems: ConfigProblem[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(section)) {
    const text = environment[setting.variable]?.trim();
    if (text === undefined || text === '') {
      parsed[name] = setting.default;
      continue;
    }
    const result = setting.parse(text);
    if ('problem' in result) {
      const value = setting.secret ? '(hidden)' : text.replace(/\/\/[^/@]*@/, '//(hidden)@');
      problems.push({ variable: setting.variable, value, problem: result.problem });
    } else {
      parsed[name] = result.value;
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(parsed) as ConfigOf<S>;
}

interface Described {
  readonly doc: string;
}

/** Builders of fields. */
export const field = {
  integer(
    variable: string,
    options: Described & {
      readonly default: number;
      readonly min: number;
      readonly max: number;
      /** `milliseconds`, `bytes`, `LLM tokens`; part of the accepted form. */
      readonly unit?: string;
    },
  ): Field<number> {
    const { min, max, unit } = options;
    const accepts = `${unit ? `${unit}, ` : ''}${min} to ${max}`;
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts,
      secret: false,
      parse: (text) => {
        const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
        if (Number.isSafeInteger(value) && value >= min && value <= max) return { value };
        return {
          problem: `set it to a whole number (${accepts}), or leave it out for ${options.default}`,
        };
      },
    };
  },

  text<D extends string | undefined>(
    variable: string,
    options: Described & {
      readonly default: D;
      readonly pattern?: RegExp;
      readonly accepts?: string;
      readonly secret?: boolean;
    },
  ): Field<string | D> {
    const accepts = options.accepts ?? 'text';
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts,
      secret: options.secret ?? false,
      parse: (text) =>
        options.pattern && !options.pattern.test(text)
          ? { problem: `set it to ${accepts}` }
          : { value: text },
    };
  },

  /** A list of distinct words, separated by commas. */
  words<D extends readonly string[] | undefined>(
    variable: string,
    options: Described & {
      readonly default: D;
      readonly max: number;
      readonly maxLength: number;
      readonly accepts: string;
    },
  ): Field<readonly string[] | D> {
    const { accepts, max, maxLength } = options;
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts,
      secret: false,
      parse: (text) => {
        const words = [...new Set(text.split(',').map((word) => word.trim()))];
        const fits = words.every((word) => word !== '' && word.length <= maxLength);
        return fits && words.length <= max
          ? { value: Object.freeze(words) }
          : { problem: `set it to ${accepts}, ${max} at most of ${maxLength} characters` };
      },
    };
  },

  oneOf<const V extends string | number>(
    variable: string,
    options: Described & { readonly default: V; readonly values: readonly V[] },
  ): Field<V> {
    const accepts = options.values.map((value) => `\`${value}\``).join(', ');
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts,
      secret: false,
      parse: (text) => {
        const value = options.values.find((candidate) => String(candidate) === text);
        return value === undefined
          ? { problem: `set it to one of ${options.values.join(', ')}` }
          : { value };
      },
    };
  },

  flag(variable: string, options: Described & { readonly default: boolean }): Field<boolean> {
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts: '`true` or `false`',
      secret: false,
      parse: (text) =>
        text === 'true' || text === 'false'
          ? { value: text === 'true' }
          : { problem: 'set it to true or false' },
    };
  },

  url<D extends string | undefined>(
    variable: string,
    options: Described & { readonly default: D; readonly protocols: readonly string[] },
  ): Field<string | D> {
    const accepts = `URL (${options.protocols.map((protocol) => `${protocol}//`).join(', ')})`;
    return {
      variable,
      default: options.default,
      doc: options.doc,
      accepts,
      secret: false,
      parse: (text) =>
        URL.canParse(text) && options.protocols.includes(new URL(text).protocol)
          ? { value: text.replace(/\/+$/, '') }
          : { problem: `set it to a ${accepts}` },
    };
  },
};
