/** Ollama's native chat API (https://github.com/ollama/ollama/blob/main/docs/api.md): lines of JSON. */
import { z } from 'zod';
import { chatRequest } from '../chat-request.ts';
import type { AnswerPlan, Usage } from '../plan-answer.ts';
import {
  bearerOf,
  type Dialect,
  messagesOf,
  planText,
  type ReplyIdentity,
  type StreamEncoder,
} from './dialect.ts';

const bodySchema = z.looseObject({
  model: z.string().min(1),
  messages: z.unknown().optional(),
  /** Ollama streams unless it is told not to. */
  stream: z.boolean().default(true),
  think: z.union([z.boolean(), z.string()]).optional(),
  options: z.looseObject({ num_predict: z.int().optional() }).nullish(),
});

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

const header = (reply: ReplyIdentity) => ({
  model: reply.model,
  created_at: new Date(reply.createdAtMs).toISOString(),
});

const nanosecondsPerToken = 1_000_000;

/** The figures of the last line; durations are made up from the counts, as nothing was computed. */
const ending = (finish: AnswerPlan['finish'], usage: Usage | undefined) => ({
  done: true,
  done_reason: finish,
  ...(usage
    ? {
        total_duration: (usage.promptTokens + usage.completionTokens) * nanosecondsPerToken,
        load_duration: 0,
        prompt_eval_count: usage.promptTokens,
        prompt_eval_duration: usage.promptTokens * nanosecondsPerToken,
        eval_count: usage.completionTokens,
        eval_duration: usage.completionTokens * nanosecondsPerToken,
      }
    : {}),
});

function startStream(reply: ReplyIdentity): StreamEncoder {
  const common = header(reply);
  const prefix = `${JSON.stringify(common).slice(0, -1)},"message":`;
  return {
    open: () => '',
    piece: (part, text) => {
      const thinking = part === 'reasoning' ? `,"thinking":${JSON.stringify(text)}` : '';
      const content = part === 'text' ? JSON.stringify(text) : '""';
      return `${prefix}{"role":"assistant","content":${content}${thinking}},"done":false}\n`;
    },
    close: ({ finish, usage }) =>
      line({ ...common, message: { role: 'assistant', content: '' }, ...ending(finish, usage) }),
    error: ({ message }) => line({ error: message }),
    garbage: () => `${prefix}{"role": "assist <<not json>>\n`,
  };
}

export const ollamaDialect: Dialect = {
  name: 'ollama',
  streamType: 'application/x-ndjson',
  idPrefix: '',
  requestIdHeader: 'x-request-id',
  keyOf: bearerOf,
  read(body) {
    const parsed = bodySchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return { status: 400, message: `${issue?.path.join('.')}: ${issue?.message}` };
    }
    const messages = messagesOf(parsed.data.messages);
    if ('status' in messages) return messages;
    const { model, stream, think, options } = parsed.data;
    const limit = options?.num_predict;
    return chatRequest({
      model,
      messages,
      stream,
      includeUsage: true,
      maxTokens: limit !== undefined && limit > 0 ? limit : undefined,
      reasoning: think === undefined ? undefined : think !== false,
    });
  },
  startStream,
  whole(reply, plan, usage) {
    const thinking = planText(plan, 'reasoning');
    return JSON.stringify({
      ...header(reply),
      message: {
        role: 'assistant',
        content: planText(plan, 'text'),
        ...(thinking === '' ? {} : { thinking }),
      },
      ...ending(plan.finish, usage),
    });
  },
  errorBody: ({ message }) => JSON.stringify({ error: message }),
  /** Ollama tells no limits. */
  limitHeaders: () => ({}),
};
