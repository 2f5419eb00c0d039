/** Ollama's own chat API: a line of JSON a chunk (docs.ollama.com/api/chat). */
import { z } from 'zod';
import type { Dialect, DialectPart } from './dialect.ts';
import { linesOf } from './line-reader.ts';
import { parseChunk } from './parse-chunk.ts';

const chunk = z.object({
  model: z.string().nullish(),
  message: z.object({ content: z.string().nullish(), thinking: z.string().nullish() }).nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.int().nonnegative().nullish(),
  eval_count: z.int().nonnegative().nullish(),
});

/** The dialect of a local or remote Ollama; it needs no key. */
export function ollamaDialect(): Dialect {
  return {
    path: '/api/chat',
    headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
    body: ({ model, messages, maxCompletionTokens, sampling }) => ({
      model,
      messages,
      stream: true,
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
    read: readLines,
  };
}

async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<DialectPart> {
  let rest = '';
  const keepRest = (line: string) => {
    rest = line;
  };
  for await (const line of linesOf(body, { onRest: keepRest })) yield* partsOfLine(line);
  // The last line may lack its end; cut in its middle it does not parse, and so ends as a fault.
  yield* partsOfLine(rest);
}

function* partsOfLine(line: string): Generator<DialectPart> {
  if (line.trim() === '') return;
  const { model, message, done, done_reason, prompt_eval_count, eval_count } = parseChunk(
    chunk,
    line,
    undefined,
  );
  if (model) yield { kind: 'model', model };
  if (message?.thinking) yield { kind: 'reasoning', text: message.thinking };
  if (message?.content) yield { kind: 'text', text: message.content };
  if (!done) return;
  if (typeof eval_count === 'number') {
    yield {
      kind: 'usage',
      usage: {
        // Left out when the whole prompt was in Ollama's cache.
        promptTokens: prompt_eval_count ?? 0,
        completionTokens: eval_count,
        estimated: false,
      },
    };
  }
  yield { kind: 'finish', reason: done_reason === 'length' ? 'length' : 'stop' };
  yield { kind: 'end' };
}
