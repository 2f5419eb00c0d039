/**
 * OpenAI's Chat Completions, as its many compatible servers speak it
 * (https://platform.openai.com/docs/api-reference/chat).
 */
import { z } from 'zod';
import { chatRequest } from '../chat-request.ts';
import type { Usage } from '../plan-answer.ts';
import {
  bearerOf,
  type Dialect,
  messagesOf,
  type ProviderProblem,
  planText,
  type ReplyIdentity,
  type StreamEncoder,
} from './dialect.ts';

const bodySchema = z.looseObject({
  model: z.string().min(1),
  messages: z.unknown().optional(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  n: z.literal(1, { error: 'this server answers with one choice; leave n out' }).nullish(),
  reasoning_effort: z.string().nullish(),
});

/** Type and code by status; OpenAI's error guide, and OpenRouter's for 402, 408 and 529. */
const errorKinds: Readonly<Record<number, readonly [type: string, code: string]>> = {
  400: ['invalid_request_error', 'invalid_request'],
  401: ['invalid_request_error', 'invalid_api_key'],
  402: ['insufficient_quota', 'insufficient_credits'],
  403: ['invalid_request_error', 'permission_denied'],
  404: ['invalid_request_error', 'not_found'],
  408: ['timeout', 'request_timeout'],
  413: ['invalid_request_error', 'request_too_large'],
  429: ['requests', 'rate_limit_exceeded'],
  500: ['server_error', 'internal_error'],
  503: ['server_error', 'service_unavailable'],
  529: ['server_error', 'overloaded'],
};

function errorBody({ status, message, code, param }: ProviderProblem): string {
  const [type, usualCode] = errorKinds[status] ?? ['server_error', `http_${status}`];
  return JSON.stringify({
    error: { message, type, param: param ?? null, code: code ?? usualCode },
  });
}

const usageBody = ({ promptTokens, completionTokens, reasoningTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  completion_tokens_details: { reasoning_tokens: reasoningTokens },
});

const event = (json: string) => `data: ${json}\n\n`;

function startStream(reply: ReplyIdentity): StreamEncoder {
  const common = {
    id: reply.id,
    object: 'chat.completion.chunk',
    created: Math.floor(reply.createdAtMs / 1000),
    model: reply.model,
    system_fingerprint: 'simulated',
  };
  const prefix = `${JSON.stringify(common).slice(0, -1)},"choices":[{"index":0,"delta":`;
  const chunk = (delta: string, finish: string) =>
    event(`${prefix}${delta},"logprobs":null,"finish_reason":${finish}}]}`);
  return {
    open: () => chunk('{"role":"assistant","content":""}', 'null'),
    piece: (part, text) => {
      const name = part === 'text' ? 'content' : reply.reasoningField;
      return chunk(`{"${name}":${JSON.stringify(text)}}`, 'null');
    },
    close: ({ finish, usage }) => {
      const last = usage
        ? event(JSON.stringify({ ...common, choices: [], usage: usageBody(usage) }))
        : '';
      return `${chunk('{}', `"${finish}"`)}${last}${event('[DONE]')}`;
    },
    error: (problem) => event(errorBody(problem)),
    garbage: () => event(`${prefix}{"content": "…, <<not json>>`),
  };
}

export const openaiDialect: Dialect = {
  name: 'openai',
  streamType: 'text/event-stream; charset=utf-8',
  idPrefix: 'chatcmpl-',
  requestIdHeader: 'x-request-id',
  keyOf: bearerOf,
  read(body) {
    const parsed = bodySchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const param = issue?.path.join('.') ?? '';
      return { status: 400, message: `${param}: ${issue?.message}`, param };
    }
    const messages = messagesOf(parsed.data.messages);
    if ('status' in messages) return messages;
    const { model, stream, stream_options: options } = parsed.data;
    return chatRequest({
      model,
      messages,
      stream: stream ?? false,
      includeUsage: options?.include_usage ?? false,
      maxTokens: parsed.data.max_completion_tokens ?? parsed.data.max_tokens ?? undefined,
      reasoning: parsed.data.reasoning_effort === 'none' ? false : undefined,
    });
  },
  startStream,
  whole(reply, plan, usage) {
    const reasoning = planText(plan, 'reasoning');
    return JSON.stringify({
      id: reply.id,
      object: 'chat.completion',
      created: Math.floor(reply.createdAtMs / 1000),
      model: reply.model,
      system_fingerprint: 'simulated',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: planText(plan, 'text'),
            ...(reasoning === '' ? {} : { [reply.reasoningField]: reasoning }),
            refusal: null,
          },
          logprobs: null,
          finish_reason: plan.finish,
        },
      ],
      ...(usage ? { usage: usageBody(usage) } : {}),
    });
  },
  errorBody,
  limitHeaders(readings) {
    const headers: Record<string, string> = {};
    for (const [unit, reading] of Object.entries(readings)) {
      if (!reading) continue;
      headers[`x-ratelimit-limit-${unit}`] = String(reading.limit);
      headers[`x-ratelimit-remaining-${unit}`] = String(reading.remaining);
      headers[`x-ratelimit-reset-${unit}`] = `${reading.resetS}s`;
    }
    return headers;
  },
};
