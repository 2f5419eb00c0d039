import { hash } from 'node:crypto';
import { countTokens } from './count-tokens.ts';

/** One message of a conversation, its parts joined: text as it is, anything else as `[image]` and the like. */
export interface ChatMessage {
  readonly role: string;
  readonly text: string;
}

/** What a client asked for, whichever provider's dialect it spoke. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  /** Whether the end of a stream carries the usage. */
  readonly includeUsage: boolean;
  /** The most LLM tokens the answer may have, reasoning included; `undefined` for no limit. */
  readonly maxTokens: number | undefined;
  /** Whether the client asked for reasoning; `undefined` leaves it to the model. */
  readonly reasoning: boolean | undefined;
  /** First 16 hex digits of SHA-256 over model and messages; equal requests have equal answers. */
  readonly promptHash: string;
  readonly promptTokens: number;
}

/** LLM tokens that every message costs beyond its text (OpenAI's own counting guide adds 3 to 4). */
const tokensPerMessage = 4;

/** Completes what a dialect read from a body with its hash and its size. */
export function chatRequest(read: Omit<ChatRequest, 'promptHash' | 'promptTokens'>): ChatRequest {
  let promptTokens = 0;
  for (const message of read.messages) promptTokens += tokensPerMessage + countTokens(message.text);
  const identity = JSON.stringify([
    read.model,
    read.messages.map(({ role, text }) => [role, text]),
  ]);
  return { ...read, promptTokens, promptHash: hash('sha256', identity).slice(0, 16) };
}

/** What the last user message orders with `[[…]]`; a test's way to choose an answer's form. */
export interface Directives {
  /** `[[tokens:300]]`: exactly so many LLM tokens of visible answer. */
  readonly tokens: number | undefined;
  /** `[[markdown]]`: headings, lists and code fences. */
  readonly markdown: boolean;
  /** `[[think]]` or `[[think:80]]`: reasoning of so many LLM tokens first. */
  readonly thinkTokens: number | undefined;
  /** `[[tag:12]]`: the number under which the record tells the request. */
  readonly tag: number | undefined;
}

const directivePattern = /\[\[(tokens|markdown|think|tag)(?::(\d{1,6}))?\]\]/g;
/** Length of reasoning that was asked for without a number, in LLM tokens. */
export const defaultThinkTokens = 40;

/** Reads the directives of the last message that the user wrote. */
export function directivesOf(messages: readonly ChatMessage[]): Directives {
  let tokens: number | undefined;
  let thinkTokens: number | undefined;
  let tag: number | undefined;
  let markdown = false;
  const last = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  for (const [, name, number] of last.matchAll(directivePattern)) {
    if (name === 'markdown') markdown = true;
    else if (name === 'think') thinkTokens = number ? Number(number) : defaultThinkTokens;
    else if (name === 'tag') tag = number ? Number(number) : undefined;
    else if (number) tokens = Math.max(1, Number(number));
  }
  return { tokens, markdown, thinkTokens, tag };
}

/**
 * Up to three longer words of the user's last message, for an answer that seems to have listened. A
 * word's `@` is repeated too: what `@everyone` would ping is then up to who shows the answer.
 */
export function topicOf(messages: readonly ChatMessage[]): readonly string[] {
  const last = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const words =
    last
      .slice(0, 2000)
      .replace(directivePattern, ' ')
      .match(/@?\p{L}{4,20}/gu) ?? [];
  return words.slice(0, 3);
}
