/**
 * OpenAI's chat completions, as OpenAI and those who copy it stream them
 * (platform.openai.com/docs/api-reference/chat-streaming, openrouter.ai/docs/api-reference/streaming).
 */
import type { Sampling, Usage } from '@starling/contracts';
import type { Dialect, DialectPart, PartReader } from './dialect.ts';
import {
  countIn,
  type Fields,
  malformed,
  parseChunk,
  recordIn,
  recordsIn,
  textIn,
} from './parse-chunk.ts';
import { ProviderFaultError } from './provider-fault.ts';
import { SseReader } from './sse-reader.ts';
import { WholeReader } from './whole-reader.ts';

const finishReasons: Readonly<Record<string, 'length' | 'content_filter'>> = {
  length: 'length',
  max_tokens: 'length',
  content_filter: 'content_filter',
};

/** OpenAI itself wants the newer name; the others know the older one only. */
function lengthField(origin: string): 'max_completion_tokens' | 'max_tokens' {
  return new URL(origin).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens';
}

/** Only what was asked for: what is absent stays the server's own. */
function samplingFields(sampling: Sampling): object {
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    stop: sampling.stop,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
  };
}

/** @param options.baseUrl with its version path, for example `https://openrouter.ai/api/v1` */
export function openaiDialect(options: {
  readonly baseUrl: string;
  readonly key: string | undefined;
}): Dialect {
  const { baseUrl, key } = options;
  return {
    path: `${new URL(baseUrl).pathname.replace(/\/+$/, '')}/chat/completions`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: ({ model, messages, maxCompletionTokens, sampling, whole }) => ({
      model,
      messages,
      stream: !whole,
      ...(!whole && { stream_options: { include_usage: true } }),
      [lengthField(baseUrl)]: maxCompletionTokens,
      ...(sampling && samplingFields(sampling)),
    }),
    // Some servers answer in one piece whatever they were asked.
    reader: (contentType) =>
      contentType?.startsWith('application/json')
        ? new WholeReader(key, partsOf)
        : new StreamReader(key),
  };
}

class StreamReader implements PartReader {
  readonly #secret: string | undefined;
  readonly #events = new SseReader();

  constructor(secret: string | undefined) {
    this.#secret = secret;
  }

  *read(chunk: Uint8Array): Generator<DialectPart> {
    for (const data of this.#events.read(chunk)) {
      if (data !== '[DONE]') yield* partsOf(parseChunk(data, this.#secret));
    }
  }

  end(): Iterable<DialectPart> {
    return [];
  }
}

function* partsOf(chunk: Fields): Generator<DialectPart> {
  const model = textIn(chunk, 'model');
  if (model) yield { kind: 'model', model };
  const first = recordsIn(chunk, 'choices').find(({ index }) => (index ?? 0) === 0);
  const words = first && (recordIn(first, 'delta') ?? recordIn(first, 'message'));
  // DeepSeek and vLLM have the one name, OpenRouter the other.
  const reasoning = words && (textIn(words, 'reasoning_content') ?? textIn(words, 'reasoning'));
  if (reasoning) yield { kind: 'reasoning', text: reasoning };
  const content = words && textIn(words, 'content');
  if (content) yield { kind: 'text', text: content };
  const usage = recordIn(chunk, 'usage');
  if (usage) yield { kind: 'usage', usage: usageOf(usage) };
  const finish = first && textIn(first, 'finish_reason');
  if (finish === 'error') {
    // OpenRouter: the upstream failed in the middle of its answer.
    throw new ProviderFaultError({
      code: 'provider_unavailable',
      retryable: true,
      detail: 'stream_error',
    });
  }
  if (finish) yield { kind: 'finish', reason: finishReasons[finish] ?? 'stop' };
}

function usageOf(usage: Fields): Usage {
  const promptTokens = countIn(usage, 'prompt_tokens');
  const completionTokens = countIn(usage, 'completion_tokens');
  if (promptTokens === undefined || completionTokens === undefined) throw malformed();
  return { promptTokens, completionTokens, estimated: false };
}
