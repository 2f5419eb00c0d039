/** Anthropic's Messages API (https://docs.anthropic.com/en/api/messages and /messages-streaming). */
import { z } from 'zod';
import { chatRequest } from '../chat-request.ts';
import type { AnswerPlan, Usage } from '../plan-answer.ts';
import {
  bearerOf,
  type Dialect,
  messagesOf,
  type ProviderProblem,
  planText,
  type ReplyIdentity,
  type StreamEncoder,
  textOf,
} from './dialect.ts';

const bodySchema = z.looseObject({
  model: z.string().min(1),
  messages: z.unknown().optional(),
  system: z.unknown().optional(),
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
  thinking: z.looseObject({ type: z.string() }).optional(),
});

/** https://docs.anthropic.com/en/api/errors */
const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const errorBody = ({ status, message }: ProviderProblem): string =>
  JSON.stringify({
    type: 'error',
    error: { type: errorTypes[status] ?? 'api_error', message },
    request_id: 'req_simulated',
  });

const stopReasons = { stop: 'end_turn', length: 'max_tokens' } as const;

const event = (name: string, json: string) => `event: ${name}\ndata: ${json}\n\n`;
const typed = (type: string, fields: object) => event(type, JSON.stringify({ type, ...fields }));

const usageBody = (usage: Usage | undefined) =>
  usage
    ? {
        usage: {
          input_tokens: usage.promptTokens,
          output_tokens: usage.completionTokens,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
        },
      }
    : {};

const message = (reply: ReplyIdentity) => ({
  id: reply.id,
  type: 'message',
  role: 'assistant',
  model: reply.model,
});

/** Blocks are opened and closed as the parts of the pieces change. */
function startStream(reply: ReplyIdentity): StreamEncoder {
  let index = -1;
  let open: 'text' | 'reasoning' | undefined;
  const closeBlock = () => {
    if (open === undefined) return '';
    const signature =
      open === 'reasoning'
        ? typed('content_block_delta', {
            index,
            delta: { type: 'signature_delta', signature: 'c2ltdWxhdGVk' },
          })
        : '';
    return signature + typed('content_block_stop', { index });
  };
  const openBlock = (part: 'text' | 'reasoning') => {
    const before = closeBlock();
    index++;
    open = part;
    const content_block =
      part === 'text'
        ? { type: 'text', text: '' }
        : { type: 'thinking', thinking: '', signature: '' };
    return before + typed('content_block_start', { index, content_block });
  };
  return {
    open: () =>
      typed('message_start', {
        message: {
          ...message(reply),
          content: [],
          stop_reason: null,
          stop_sequence: null,
          ...usageBody(
            reply.promptTokens === undefined
              ? undefined
              : { promptTokens: reply.promptTokens, completionTokens: 1, reasoningTokens: 0 },
          ),
        },
      }) + typed('ping', {}),
    piece: (part, text) => {
      const before = open === part ? '' : openBlock(part);
      const delta =
        part === 'text'
          ? `{"type":"text_delta","text":${JSON.stringify(text)}}`
          : `{"type":"thinking_delta","thinking":${JSON.stringify(text)}}`;
      const json = `{"type":"content_block_delta","index":${index},"delta":${delta}}`;
      return before + event('content_block_delta', json);
    },
    close: ({ finish, usage }) => {
      const delta = { stop_reason: stopReasons[finish], stop_sequence: null };
      const last = typed('message_delta', { delta, ...usageBody(usage) });
      return `${closeBlock()}${last}${typed('message_stop', {})}`;
    },
    error: (problem) => event('error', errorBody(problem)),
    garbage: () => event('content_block_delta', '{"type": "content_bl <<not json>>'),
  };
}

const content = (plan: AnswerPlan) => {
  const thinking = planText(plan, 'reasoning');
  const text = { type: 'text', text: planText(plan, 'text') };
  return thinking === ''
    ? [text]
    : [{ type: 'thinking', thinking, signature: 'c2ltdWxhdGVk' }, text];
};

export const anthropicDialect: Dialect = {
  name: 'anthropic',
  streamType: 'text/event-stream; charset=utf-8',
  idPrefix: 'msg_',
  requestIdHeader: 'request-id',
  keyOf(headers) {
    const key = headers['x-api-key'];
    return typeof key === 'string' ? key : bearerOf(headers);
  },
  read(body, headers) {
    if (headers['anthropic-version'] === undefined) {
      return { status: 400, message: 'anthropic-version: header is required' };
    }
    const parsed = bodySchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return { status: 400, message: `${issue?.path.join('.')}: ${issue?.message}` };
    }
    const messages = messagesOf(parsed.data.messages);
    if ('status' in messages) return messages;
    const { model, system, max_tokens: maxTokens, stream, thinking } = parsed.data;
    const systemText = textOf(system);
    return chatRequest({
      model,
      messages: systemText === '' ? messages : [{ role: 'system', text: systemText }, ...messages],
      stream: stream ?? false,
      includeUsage: true,
      maxTokens,
      reasoning: thinking === undefined ? undefined : thinking.type !== 'disabled',
    });
  },
  startStream,
  whole: (reply, plan, usage) =>
    JSON.stringify({
      ...message(reply),
      content: content(plan),
      stop_reason: stopReasons[plan.finish],
      stop_sequence: null,
      ...usageBody(usage),
    }),
  errorBody,
  limitHeaders(readings, nowMs) {
    const headers: Record<string, string> = {};
    for (const [unit, reading] of Object.entries(readings)) {
      if (!reading) continue;
      const reset = new Date(nowMs + reading.resetS * 1000).toISOString();
      headers[`anthropic-ratelimit-${unit}-limit`] = String(reading.limit);
      headers[`anthropic-ratelimit-${unit}-remaining`] = String(reading.remaining);
      headers[`anthropic-ratelimit-${unit}-reset`] = reset;
    }
    return headers;
  },
};
