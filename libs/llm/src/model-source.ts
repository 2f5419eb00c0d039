/** Asks a provider which models it has. It costs one or two small requests and no connection of the pool. */
import { registerSecret } from '@starling/telemetry';
import { type Fields, parseChunk } from './parse-chunk.ts';
import { type ProviderConfig, providerChoice } from './provider-choice.ts';
import { ollamaModelsIn, openaiModelsIn, type ToldModels } from './told-models.ts';

/** Where a worker learns what its provider can serve. */
export interface ModelSource {
  /**
   * The provider's word now.
   * @throws {ModelSourceError} when it gives none, and the signal's reason when that aborts
   */
  read(signal: AbortSignal): Promise<ToldModels>;
}

/** Why there is no list: `unreachable`, `http_<status>`, `too_long`, `malformed`. */
export class ModelSourceError extends Error {
  override readonly name = 'ModelSourceError';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A list with more than this is none; ours are of at most a hundred names. */
const maxListBytes = 1024 * 1024;

/**
 * The source of the provider that the settings name. Undefined without a provider, and for OpenRouter:
 * it serves hundreds of models, and to name them all is to say nothing.
 */
export function modelSourceFrom(config: ProviderConfig): ModelSource | undefined {
  const choice = providerChoice(config);
  if (!choice || choice.name === 'openrouter') return undefined;
  const { baseUrl, name } = choice;
  const { model, openaiKey: key } = config;
  if (key !== undefined) registerSecret(key);
  return {
    async read(signal) {
      const models =
        name === 'ollama'
          ? await ollamaModels(baseUrl, signal)
          : await openaiModels({ baseUrl, key, signal });
      return withModel(models, model);
    },
  };
}

/** What the operator made the default is served, by whatever name the server lists it. */
function withModel({ loaded, served }: ToldModels, model: string | undefined): ToldModels {
  if (model === undefined || served.length === 0 || served.includes(model)) {
    return { loaded, served };
  }
  return { served: [...served, model], loaded: [...loaded, model] };
}

async function openaiModels(asked: {
  readonly baseUrl: string;
  readonly key: string | undefined;
  readonly signal: AbortSignal;
}): Promise<ToldModels> {
  const { baseUrl, key, signal } = asked;
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const { origin, pathname } = new URL(baseUrl);
  const url = `${origin}${pathname.replace(/\/+$/, '')}/models`;
  return told(openaiModelsIn, await list(url, { headers, signal }));
}

async function ollamaModels(baseUrl: string, signal: AbortSignal): Promise<ToldModels> {
  const tags = await list(`${baseUrl}/api/tags`, { signal });
  // Without it nothing is known to be in memory.
  const running = await list(`${baseUrl}/api/ps`, { signal }).catch((error: unknown) => {
    if (error instanceof ModelSourceError) return undefined;
    throw error;
  });
  return told((body) => ollamaModelsIn(body, running), tags);
}

function told(read: (body: Fields) => ToldModels | undefined, body: Fields): ToldModels {
  try {
    const models = read(body);
    if (models) return models;
  } catch {
    // What the server said may hold anything, so it is not passed on.
  }
  throw new ModelSourceError('malformed');
}

async function list(url: string, options: RequestInit): Promise<Fields> {
  try {
    const response = await fetch(url, { ...options, redirect: 'error' });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ModelSourceError(`http_${response.status}`);
    }
    return fieldsIn(await textOf(response));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ModelSourceError) throw error;
    // Not as its cause: an error of fetch may name the address, and with it a password.
    throw new ModelSourceError('unreachable');
  }
}

function fieldsIn(text: string): Fields {
  try {
    return parseChunk(text, undefined);
  } catch {
    throw new ModelSourceError('malformed');
  }
}

async function textOf(response: Response): Promise<string> {
  let bytes = 0;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxListBytes) throw new ModelSourceError('too_long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
