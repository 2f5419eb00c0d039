import type { IncomingHttpHeaders } from 'node:http';
import type { ChatMessage, ChatRequest } from '../chat-request.ts';
import type { AnswerPlan, Usage } from '../plan-answer.ts';

/** A refusal, before a dialect gives it its own shape. */
export interface ProviderProblem {
  readonly status: number;
  readonly message: string;
  /** OpenAI's `code`, where it differs from the status' usual one. */
  readonly code?: string;
  /** The offending field of the body. */
  readonly param?: string;
}

/** What the parts of one reply have in common. */
export interface ReplyIdentity {
  readonly id: string;
  readonly createdAtMs: number;
  readonly model: string;
  /** For the usage at the head of Anthropic's streams; `undefined` leaves it out. */
  readonly promptTokens: number | undefined;
  /** For the profile's `reasoningStyle`. */
  readonly reasoningField: 'reasoning_content' | 'reasoning';
}

/** One limit as a provider tells it in its headers. */
export interface LimitReading {
  readonly limit: number;
  readonly remaining: number;
  readonly resetS: number;
}

/** Limits by what they count. */
export interface LimitReadings {
  readonly requests?: LimitReading | undefined;
  readonly tokens?: LimitReading | undefined;
}

/** Writes one stream, in order: `open`, then pieces, then `close`. Each method returns the bytes to send. */
export interface StreamEncoder {
  open(): string;
  piece(part: 'text' | 'reasoning', text: string): string;
  close(end: { readonly finish: AnswerPlan['finish']; readonly usage: Usage | undefined }): string;
  /** A failure told inside a stream that began well. */
  error(problem: ProviderProblem): string;
  /** A frame around something that is not JSON. */
  garbage(): string;
}

/** One provider's HTTP language. */
export interface Dialect {
  readonly name: 'openai' | 'ollama' | 'anthropic';
  readonly streamType: string;
  /** What the ids of its answers begin with. */
  readonly idPrefix: string;
  readonly requestIdHeader: string;
  /** The key that the request shows, if any. */
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  /** Reads a chat body that is JSON already. */
  read(body: unknown, headers: IncomingHttpHeaders): ChatRequest | ProviderProblem;
  startStream(reply: ReplyIdentity): StreamEncoder;
  /** The answer in one piece; without `usage` that field is left out. */
  whole(reply: ReplyIdentity, plan: AnswerPlan, usage: Usage | undefined): string;
  errorBody(problem: ProviderProblem): string;
  limitHeaders(readings: LimitReadings, nowMs: number): Record<string, string>;
}

export const isProblem = (read: ChatRequest | ProviderProblem): read is ProviderProblem =>
  'status' in read;

/** `Authorization: Bearer KEY`. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
}

/** A message's content as text: a string, or parts of which those without text become `[type]`. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      if (typeof part !== 'object' || part === null) return '';
      if ('text' in part && typeof part.text === 'string') return part.text;
      return `[${'type' in part && typeof part.type === 'string' ? part.type : 'part'}]`;
    })
    .join('\n');
}

/** The text of a plan's chunks of one part. */
export function planText(plan: AnswerPlan, part: 'text' | 'reasoning'): string {
  let text = '';
  for (const chunk of plan.chunks) if (chunk.part === part) text += chunk.text;
  return text;
}

/** Messages as read, or the first problem: an empty list, or one that has no role. */
export function messagesOf(value: unknown): readonly ChatMessage[] | ProviderProblem {
  if (!Array.isArray(value) || value.length === 0) {
    return { status: 400, message: 'messages: send at least one message', param: 'messages' };
  }
  const messages: ChatMessage[] = [];
  for (const [index, message] of value.entries()) {
    if (typeof message !== 'object' || message === null || typeof message.role !== 'string') {
      return {
        status: 400,
        message: `messages.${index}.role: give it a role and a content`,
        param: `messages[${index}].role`,
      };
    }
    messages.push({ role: message.role, text: textOf(message.content) });
  }
  return messages;
}
