/** Ollama's own chat API: a line of JSON a chunk (docs.ollama.com/api/chat). */
import type { Dialect, DialectPart, PartReader } from './dialect.ts';
import { LineReader } from './line-reader.ts';
import { countIn, parseChunk, recordIn, textIn } from './parse-chunk.ts';

/** The dialect of a local or remote Ollama; it needs no key. */
export function ollamaDialect(): Dialect {
  return {
    path: '/api/chat',
    headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
    body: ({ model, messages, maxCompletionTokens, sampling, whole }) => ({
      model,
      messages,
      stream: !whole,
      options: {
        num_predict: maxCompletionTokens,
        ...(sampling && {
          temperature: sampling.temperature,
          top_p: sampling.topP,
          stop: sampling.stop,
          seed: sampling.seed,
          frequency_penalty: sampling.frequencyPenalty,
          presence_penalty: sampling.presencePenalty,
        }),
      },
    }),
    reader: () => new OllamaReader(),
  };
}

class OllamaReader implements PartReader {
  readonly #lines = new LineReader();

  *read(chunk: Uint8Array): Generator<DialectPart> {
    for (const line of this.#lines.read(chunk)) yield* partsOfLine(line);
  }

  /** The last line may lack its end; cut in its middle it does not parse, and so ends as a fault. */
  end(): Iterable<DialectPart> {
    return partsOfLine(this.#lines.rest);
  }
}

function* partsOfLine(line: string): Generator<DialectPart> {
  if (line.trim() === '') return;
  const chunk = parseChunk(line, undefined);
  const model = textIn(chunk, 'model');
  if (model) yield { kind: 'model', model };
  const message = recordIn(chunk, 'message');
  const thinking = message && textIn(message, 'thinking');
  if (thinking) yield { kind: 'reasoning', text: thinking };
  const content = message && textIn(message, 'content');
  if (content) yield { kind: 'text', text: content };
  if (chunk.done !== true) return;
  const completionTokens = countIn(chunk, 'eval_count');
  if (completionTokens !== undefined) {
    // Left out when the whole prompt was in Ollama's cache.
    const promptTokens = countIn(chunk, 'prompt_eval_count') ?? 0;
    yield { kind: 'usage', usage: { promptTokens, completionTokens, estimated: false } };
  }
  yield { kind: 'finish', reason: textIn(chunk, 'done_reason') === 'length' ? 'length' : 'stop' };
}
