/** Reads the text of a providers file into ladders. Keys come from where it says that they stand. */
import { ConfigError, type ConfigProblem } from '@starling/config';
import type { LadderConfig, ProviderKey } from '../ladder/ladder-config.ts';
import { type ProvidersFile, providersSchema } from './providers-schema.ts';

type KeyPlace = ProvidersFile['providers'][number]['keys'][number];

/** What a file's keys are looked up in. */
export interface KeySources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a key's file. @throws when it cannot be read */
  readonly readFile: (path: string) => string;
}

/**
 * The ladders of a file's text.
 * @param path how the file is called in what is said of it
 * @throws {ConfigError} naming each field, its value and the remedy; what stands under `keys` is not shown
 */
export function parseProviders(text: string, path: string, sources: KeySources): LadderConfig {
  const json = jsonOf(text, path);
  const parsed = providersSchema.safeParse(json);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ message, path: at, ...issue }) => {
        const extra = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : undefined;
        const problem = extra === undefined ? message : `take out ${extra}: it has no meaning here`;
        return { variable: fieldName(path, at), value: shown(json, at), problem };
      }),
    );
  }
  const problems: ConfigProblem[] = [];
  const file = parsed.data;
  problems.push(...crossProblems(file, path));
  const providers = file.providers.map(({ keys, ...place }, at) => ({
    ...place,
    keys: keys.flatMap((key, n) => {
      const found = keyFrom(key, sources);
      if ('value' in found) return [found];
      problems.push({
        variable: fieldName(path, ['providers', at, 'keys', n]),
        value: 'env' in key ? key.env : key.file,
        problem: found.problem,
      });
      return [];
    }),
  }));
  if (problems.length > 0) throw new ConfigError(problems);
  const [first] = file.models;
  return {
    providers,
    models: file.models,
    defaultModel: file.defaultModel ?? first?.name ?? '',
    ...(file.choice && { choice: file.choice }),
    takesAnyModel: false,
  };
}

/** The variables that a file takes keys from; none of a text that does not parse. */
export function keyVariablesIn(text: string): readonly string[] {
  try {
    const parsed = providersSchema.safeParse(JSON.parse(text));
    const providers = parsed.success ? parsed.data.providers : [];
    return providers.flatMap(({ keys }) => keys.flatMap((key) => ('env' in key ? key.env : [])));
  } catch {
    return [];
  }
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a key after all.
    const problem = 'is not JSON; mind commas and quotation marks';
    throw new ConfigError([{ variable: path, value: '(hidden)', problem }]);
  }
}

function keyFrom(
  key: KeyPlace,
  { environment, readFile }: KeySources,
): ProviderKey | { readonly problem: string } {
  if ('env' in key) {
    const value = environment[key.env]?.trim();
    if (!value) return { problem: 'set this variable where the workers run, or take the key out' };
    return checked(key.env, value);
  }
  try {
    return checked(key.file, readFile(key.file).trim());
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { problem: `cannot be read (${code}); name a file that the workers may read` };
  }
}

function checked(name: string, value: string): ProviderKey | { readonly problem: string } {
  // It becomes a header.
  return /^[\x21-\x7e]{1,4096}$/.test(value)
    ? { name, value }
    : { problem: 'holds no key: one word of printable characters is expected' };
}

function* crossProblems(file: ProvidersFile, path: string): Generator<ConfigProblem> {
  const at = (...steps: (string | number)[]) => fieldName(path, steps);
  const providers = new Set(file.providers.map(({ name }) => name));
  const models = new Set(file.models.map(({ name }) => name));
  for (const list of ['providers', 'models'] as const) {
    const seen = new Set<string>();
    for (const [n, { name }] of file[list].entries()) {
      const problem = 'stands there twice; give each a name of its own';
      if (seen.has(name)) yield { variable: at(list, n, 'name'), value: name, problem };
      seen.add(name);
    }
  }
  for (const [n, { ladder }] of file.models.entries()) {
    for (const [rung, { provider }] of ladder.entries()) {
      if (providers.has(provider)) continue;
      const problem = `set it to one of ${[...providers].join(', ')}, or list it under providers`;
      yield { variable: at('models', n, 'ladder', rung, 'provider'), value: provider, problem };
    }
  }
  for (const size of ['simple', 'complex'] as const) {
    const named = file.choice?.[size];
    if (named === undefined || models.has(named)) continue;
    const problem = `set it to one of ${[...models].join(', ')}`;
    yield { variable: at('choice', size), value: named, problem };
  }
  if (file.defaultModel !== undefined && !models.has(file.defaultModel)) {
    const problem = `set it to one of ${[...models].join(', ')}, or leave it out for the first`;
    yield { variable: at('defaultModel'), value: file.defaultModel, problem };
  }
}

/** `providers.json providers[0].keys[1]` */
function fieldName(path: string, at: readonly PropertyKey[]): string {
  const field = at
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
  return field === '' ? path : `${path} ${field}`;
}

/** The value that stands at a place, unless it may be a key. */
function shown(json: unknown, at: readonly PropertyKey[]): string {
  if (at.includes('keys') || at.includes('baseUrl')) return '(hidden)';
  let value = json;
  for (const step of at) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  }
  if (value === undefined) return '';
  // A list or an object would bring along what stands in it.
  return typeof value === 'object' && value !== null ? '{…}' : String(value).slice(0, 100);
}
