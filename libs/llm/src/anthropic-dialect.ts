/**
 * Anthropic's Messages API (platform.claude.com/docs/en/api/messages, …/build-with-claude/streaming): a
 * message is a row of blocks, each opened, filled by deltas and closed; its usage comes in two halves.
 */
import type { ChatMessage, Sampling } from '@starling/contracts';
import type { Dialect, DialectPart, PartReader } from './dialect.ts';
import { countIn, type Fields, parseChunk, recordIn, recordsIn, textIn } from './parse-chunk.ts';
import { SseReader } from './sse-reader.ts';
import { WholeReader } from './whole-reader.ts';

/** The only version there is; it names the shape of the API, not of a model. */
const apiVersion = '2023-06-01';

const stopReasons: Readonly<Record<string, 'length' | 'content_filter'>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content_filter',
};

/** @param options.baseUrl with its version path, for example `https://api.anthropic.com/v1` */
export function anthropicDialect(options: {
  readonly baseUrl: string;
  readonly key: string | undefined;
}): Dialect {
  const { baseUrl, key } = options;
  return {
    path: `${new URL(baseUrl).pathname.replace(/\/+$/, '')}/messages`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      'anthropic-version': apiVersion,
      ...(key !== undefined && { 'x-api-key': key }),
    },
    body: ({ model, messages, maxCompletionTokens, sampling, whole }) => ({
      model,
      ...turnsOf(messages),
      max_tokens: maxCompletionTokens,
      stream: !whole,
      ...(sampling && samplingFields(sampling)),
    }),
    reader: (contentType) =>
      contentType?.startsWith('application/json')
        ? new WholeReader(key, partsOfMessage)
        : new StreamReader(key),
  };
}

/** The system's words stand apart, an empty turn is refused, and the first turn is the user's. */
function turnsOf(all: readonly ChatMessage[]): {
  readonly system?: string;
  readonly messages: readonly ChatMessage[];
} {
  const said = all.filter(({ content }) => content.trim() !== '');
  const system = said.filter(({ role }) => role === 'system').map(({ content }) => content);
  const messages = said.filter(({ role }) => role !== 'system');
  if (messages[0]?.role !== 'user') messages.unshift({ role: 'user', content: '…' });
  return { ...(system.length > 0 && { system: system.join('\n\n') }), messages };
}

/**
 * There is no seed and no penalty. Of temperature and nucleus its newer models take one alone; and its
 * temperature ends at 1.
 */
function samplingFields({ stop, temperature, topP }: Sampling): object {
  return {
    ...(temperature === undefined
      ? { top_p: topP }
      : { temperature: Math.min(temperature, maxTemperature) }),
    stop_sequences: stop,
  };
}

const maxTemperature = 1;

class StreamReader implements PartReader {
  readonly #secret: string | undefined;
  readonly #events = new SseReader();
  #promptTokens: number | undefined;

  constructor(secret: string | undefined) {
    this.#secret = secret;
  }

  *read(chunk: Uint8Array): Generator<DialectPart> {
    // An event `error` has its object under that name, which ends the stream as for everyone else.
    for (const data of this.#events.read(chunk)) yield* this.#parts(parseChunk(data, this.#secret));
  }

  end(): Iterable<DialectPart> {
    return [];
  }

  /** What there will be besides, pings and new kinds of blocks among them, is passed over. */
  *#parts(event: Fields): Generator<DialectPart> {
    const type = textIn(event, 'type');
    if (type === 'message_start') {
      const message = recordIn(event, 'message') ?? {};
      const model = textIn(message, 'model');
      if (model) yield { kind: 'model', model };
      this.#promptTokens = promptTokensIn(recordIn(message, 'usage') ?? {});
    } else if (type === 'content_block_delta') {
      yield* wordsIn(recordIn(event, 'delta') ?? {});
    } else if (type === 'message_delta') {
      const usage = recordIn(event, 'usage') ?? {};
      yield* usageOf(promptTokensIn(usage) ?? this.#promptTokens, usage);
      yield* finishIn(recordIn(event, 'delta') ?? {});
    }
  }
}

function* partsOfMessage(message: Fields): Generator<DialectPart> {
  const model = textIn(message, 'model');
  if (model) yield { kind: 'model', model };
  for (const block of recordsIn(message, 'content')) yield* wordsIn(block);
  const usage = recordIn(message, 'usage') ?? {};
  yield* usageOf(promptTokensIn(usage), usage);
  yield* finishIn(message);
}

/** Of a block or a delta. */
function* wordsIn(fields: Fields): Generator<DialectPart> {
  const thinking = textIn(fields, 'thinking');
  if (thinking) yield { kind: 'reasoning', text: thinking };
  const text = textIn(fields, 'text');
  if (text) yield { kind: 'text', text };
}

/** What was read from a prompt cache, or written to one, stands apart in its figures. */
function promptTokensIn(usage: Fields): number | undefined {
  const fresh = countIn(usage, 'input_tokens');
  if (fresh === undefined) return undefined;
  const read = countIn(usage, 'cache_read_input_tokens') ?? 0;
  return fresh + read + (countIn(usage, 'cache_creation_input_tokens') ?? 0);
}

function* usageOf(promptTokens: number | undefined, usage: Fields): Generator<DialectPart> {
  const completionTokens = countIn(usage, 'output_tokens');
  if (promptTokens === undefined || completionTokens === undefined) return;
  yield { kind: 'usage', usage: { promptTokens, completionTokens, estimated: false } };
}

function* finishIn(fields: Fields): Generator<DialectPart> {
  const reason = textIn(fields, 'stop_reason');
  if (reason) yield { kind: 'finish', reason: stopReasons[reason] ?? 'stop' };
}
