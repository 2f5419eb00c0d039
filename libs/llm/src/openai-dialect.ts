/**
 * OpenAI's chat completions, as OpenAI and those who copy it stream them
 * (platform.openai.com/docs/api-reference/chat-streaming, openrouter.ai/docs/api-reference/streaming).
 */
import type { Sampling } from '@starling/contracts';
import { z } from 'zod';
import type { Dialect, DialectPart } from './dialect.ts';
import { linesOf, maxLineLength } from './line-reader.ts';
import { parseChunk } from './parse-chunk.ts';
import { ProviderFaultError } from './provider-fault.ts';
import { sseDataOf } from './sse-data.ts';

const said = z.object({
  content: z.string().nullish(),
  /** OpenRouter. */
  reasoning: z.string().nullish(),
  /** DeepSeek, vLLM. */
  reasoning_content: z.string().nullish(),
});

const choice = z.object({
  index: z.int().nullish(),
  delta: said.nullish(),
  /** In an answer that was not streamed although we asked for it. */
  message: said.nullish(),
  finish_reason: z.string().nullish(),
});

const chunk = z.object({
  model: z.string().nullish(),
  choices: z.array(choice).nullish(),
  usage: z
    .object({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .nullish(),
});

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
      accept: 'text/event-stream',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: ({ model, messages, maxCompletionTokens, sampling }) => ({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      [lengthField(baseUrl)]: maxCompletionTokens,
      ...(sampling && samplingFields(sampling)),
    }),
    read: (body, contentType) =>
      contentType?.startsWith('application/json') ? readWhole(body, key) : readStream(body, key),
  };
}

async function* readStream(
  body: AsyncIterable<Uint8Array>,
  secret: string | undefined,
): AsyncGenerator<DialectPart> {
  for await (const data of sseDataOf(linesOf(body))) {
    if (data === '[DONE]') yield { kind: 'end' };
    else yield* partsOf(parseChunk(chunk, data, secret));
  }
}

/** Some servers answer in one piece whatever they were asked. */
async function* readWhole(
  body: AsyncIterable<Uint8Array>,
  secret: string | undefined,
): AsyncGenerator<DialectPart> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > maxLineLength) {
      throw new ProviderFaultError({
        code: 'provider_unavailable',
        retryable: false,
        detail: 'answer_too_long',
      });
    }
  }
  yield* partsOf(parseChunk(chunk, text, secret));
}

function* partsOf({ model, choices, usage }: z.infer<typeof chunk>): Generator<DialectPart> {
  if (model) yield { kind: 'model', model };
  const first = choices?.find(({ index }) => (index ?? 0) === 0);
  const words = first?.delta ?? first?.message;
  const reasoning = words?.reasoning_content ?? words?.reasoning;
  if (reasoning) yield { kind: 'reasoning', text: reasoning };
  if (words?.content) yield { kind: 'text', text: words.content };
  if (usage) {
    yield {
      kind: 'usage',
      usage: {
        promptTokens: usage.prompt_tokens,
        completionTokens: usage.completion_tokens,
        estimated: false,
      },
    };
  }
  if (first?.finish_reason === 'error') {
    // OpenRouter: the upstream failed in the middle of its answer.
    throw new ProviderFaultError({
      code: 'provider_unavailable',
      retryable: true,
      detail: 'stream_error',
    });
  }
  if (first?.finish_reason) {
    yield { kind: 'finish', reason: finishReasons[first.finish_reason] ?? 'stop' };
  }
}
