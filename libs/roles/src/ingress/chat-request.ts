/**
 * A request for a chat completion, read by hand: this is the front door's hot path, and each problem is
 * told with the field's name, its value and the remedy
 * (platform.openai.com/docs/api-reference/chat/create).
 *
 * Fields that would change the answer and that the fleet does not know are refused unless they stand at
 * their default. Others (`user`, `metadata`, `store`, …) are left alone, as compatible servers do.
 */
import type { ChatMessage, Lane, Sampling } from '@starling/contracts';
import { type ApiProblem, requestProblem } from './api-problem.ts';
import { readMessages } from './chat-messages.ts';
import { FieldProblem, invalid, missing, unsupported } from './field-problem.ts';
import { isRecord } from './is-record.ts';
import { readSampling } from './sampling-fields.ts';

/** What a caller asks for. */
export interface ChatRequest {
  /** As the caller named it; `default` leaves the choice to the worker. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxCompletionTokens: number;
  readonly sampling: Sampling | undefined;
  readonly stream: boolean;
  /** A last chunk of the stream brings the usage. */
  readonly includeUsage: boolean;
  readonly lane: Extract<Lane, 'interactive' | 'batch'>;
  /** What the answer says of it; undefined when the caller did not ask. */
  readonly serviceTier: 'default' | 'flex' | undefined;
  /** It may be answered by the call of an equal request of its caller. */
  readonly shares: boolean;
  /** Estimated LLM tokens, prompt and completion together. */
  readonly tokenEstimate: number;
}

/** The name that leaves the choice of a model to the worker. */
export const defaultModelName = 'default';

/** Messages of a job, as JSON: its contract allows 256 KiB with everything around them. */
const maxMessagesBytes = 248 * 1024;
const maxModelLength = 200;
/** Characters of an LLM token in English, as everywhere in the fleet; the end of a job corrects it. */
const charactersPerToken = 4;

export interface ChatLimits {
  readonly defaultCompletionTokens: number;
  readonly maxCompletionTokens: number;
}

/**
 * @param text the body
 * @param options.shares what the headers say of it
 */
export function parseChatRequest(
  text: string,
  options: ChatLimits & { readonly shares?: boolean },
): { readonly request: ChatRequest } | { readonly problem: ApiProblem } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { problem: requestProblem('invalid_json', 'The body is not JSON: send one object.') };
  }
  if (!isRecord(body)) {
    return {
      problem: requestProblem('invalid_json', 'The body is JSON, but no object: send one.'),
    };
  }
  try {
    return { request: read(body, { limits: options, bodyLength: text.length }) };
  } catch (error) {
    if (error instanceof FieldProblem) return { problem: error.problem };
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function read(
  body: Fields,
  context: {
    readonly limits: ChatLimits & { readonly shares?: boolean };
    readonly bodyLength: number;
  },
): ChatRequest {
  const model = readModel(body.model);
  const messages = readMessages(body.messages);
  // What is escaped here was escaped there: the messages are no longer than the body they came in.
  if (context.bodyLength * 3 > maxMessagesBytes) checkSize(messages);
  const maxCompletionTokens = readLength(body, context.limits);
  refuseUnknownWishes(body);
  const stream = readFlag(body.stream, 'stream');
  let characters = 0;
  for (const { content } of messages) characters += content.length;
  return {
    model,
    messages,
    maxCompletionTokens,
    sampling: readSampling(body),
    stream,
    includeUsage: readStreamOptions(body.stream_options, stream),
    ...readTier(body.service_tier),
    shares: context.limits.shares ?? false,
    tokenEstimate: Math.ceil(characters / charactersPerToken) + maxCompletionTokens,
  };
}

function readModel(value: unknown): string {
  const remedy = `name one of GET /v1/models, or "${defaultModelName}"`;
  if (value === undefined) throw missing('model', remedy);
  if (typeof value !== 'string' || value === '' || value.length > maxModelLength) {
    throw invalid('model', value, remedy);
  }
  return value;
}

function checkSize(messages: readonly ChatMessage[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(messages));
  if (bytes <= maxMessagesBytes) return;
  throw new FieldProblem(
    requestProblem(
      'context_length_exceeded',
      `messages have ${bytes} bytes: send at most ${maxMessagesBytes}.`,
      'messages',
    ),
  );
}

/** The newer of OpenAI's two names wins. */
function readLength(body: Fields, limits: ChatLimits): number {
  const name = body.max_completion_tokens == null ? 'max_tokens' : 'max_completion_tokens';
  const value = body[name] ?? undefined;
  if (value === undefined) {
    return Math.min(limits.defaultCompletionTokens, limits.maxCompletionTokens);
  }
  const fits = Number.isSafeInteger(value) && Number(value) >= 1;
  if (!fits || Number(value) > limits.maxCompletionTokens) {
    const range = `1 to ${limits.maxCompletionTokens}`;
    throw invalid(name, value, `set it to a whole number, ${range}, or leave it out`);
  }
  return Number(value);
}

/** Wishes that would change the answer, with the values that wish for nothing. */
const unknownWishes: readonly (readonly [
  name: string,
  isNothing: (value: unknown) => boolean,
  remedy: string,
])[] = [
  ['n', (value) => value === 1, 'one answer a request is given; ask several times'],
  ['tools', isEmptyList, 'this fleet calls no tools; leave it out'],
  ['functions', isEmptyList, 'this fleet calls no functions; leave it out'],
  [
    'tool_choice',
    (value) => value === 'none' || value === 'auto',
    'this fleet calls no tools; leave it out',
  ],
  ['response_format', isText, 'answers are text; leave it out'],
  ['logprobs', (value) => value === false, 'they are not known here; leave it out'],
  ['top_logprobs', (value) => value === 0, 'they are not known here; leave it out'],
  [
    'logit_bias',
    (value) => isRecord(value) && Object.keys(value).length === 0,
    'it is not passed on; leave it out',
  ],
  ['audio', () => false, 'answers are text; leave it out'],
  [
    'modalities',
    (value) => Array.isArray(value) && value.every((one) => one === 'text'),
    'answers are text; leave it out',
  ],
];

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isText(value: unknown): boolean {
  return isRecord(value) && value.type === 'text';
}

function refuseUnknownWishes(body: Fields): void {
  for (const [name, isNothing, remedy] of unknownWishes) {
    const value = body[name] ?? undefined;
    if (value !== undefined && !isNothing(value)) throw unsupported(name, value, remedy);
  }
}

function readFlag(value: unknown, name: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw invalid(name, value, 'set it to true or false, or leave it out');
}

function readStreamOptions(value: unknown, stream: boolean): boolean {
  if (value === undefined || value === null) return false;
  const remedy = 'set it to {"include_usage": true} together with "stream": true, or leave it out';
  if (!isRecord(value) || !stream) throw invalid('stream_options', value, remedy);
  return readFlag(value.include_usage, 'stream_options.include_usage');
}

/** `flex` waits behind everything else, in the batch lane, and is the cheaper for it. */
function readTier(value: unknown): Pick<ChatRequest, 'lane' | 'serviceTier'> {
  switch (value) {
    case undefined:
    case null:
      return { lane: 'interactive', serviceTier: undefined };
    case 'flex':
      return { lane: 'batch', serviceTier: 'flex' };
    case 'auto':
    case 'default':
    case 'priority':
      return { lane: 'interactive', serviceTier: 'default' };
    default:
      throw invalid(
        'service_tier',
        value,
        'set it to auto, default, priority or flex, or leave it out',
      );
  }
}
