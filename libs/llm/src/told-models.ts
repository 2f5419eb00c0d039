/**
 * Which models a provider says that it has. Servers of the same dialect say it differently:
 * - OpenAI's `GET /v1/models` lists what may be asked for. vLLM lists what it has in memory, llama.cpp
 *   too, whose router mode adds `status.value` to each (`loaded`, `unloaded`, …).
 * - Ollama lists what it has on disk at `GET /api/tags`, and what is in memory at `GET /api/ps`.
 */
import { type Fields, recordIn, recordsIn, textIn } from './parse-chunk.ts';

/** A provider's word on its models, by the names that a request may give. */
export interface ToldModels {
  readonly served: readonly string[];
  /** Those of `served` that answer without being loaded first: all of them where none ever is. */
  readonly loaded: readonly string[];
}

/** The list of an OpenAI-compatible server; undefined when this is none. */
export function openaiModelsIn(body: Fields): ToldModels | undefined {
  if (!Array.isArray(body.data)) return undefined;
  const served: string[] = [];
  const loaded: string[] = [];
  for (const entry of recordsIn(body, 'data')) {
    const name = textIn(entry, 'id');
    if (!name) continue;
    served.push(name);
    const status = recordIn(entry, 'status');
    const value = status && textIn(status, 'value');
    if (value === undefined || value === 'loaded') loaded.push(name);
  }
  return { served, loaded };
}

/** The lists of an Ollama: of its disk and of its memory; undefined when the first is none. */
export function ollamaModelsIn(tags: Fields, running: Fields | undefined): ToldModels | undefined {
  const served = ollamaNamesIn(tags);
  return served && { served, loaded: (running && ollamaNamesIn(running)) ?? [] };
}

function ollamaNamesIn(body: Fields): readonly string[] | undefined {
  if (!Array.isArray(body.models)) return undefined;
  return recordsIn(body, 'models').flatMap((entry) => {
    const name = textIn(entry, 'name');
    if (!name) return [];
    // Ollama takes a name without a tag for that of its latest.
    return name.endsWith(latest) ? [name.slice(0, -latest.length), name] : [name];
  });
}

const latest = ':latest';
