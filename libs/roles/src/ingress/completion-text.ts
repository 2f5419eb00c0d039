/**
 * Answers in OpenAI's words: the completion object, and the chunks of a stream
 * (platform.openai.com/docs/api-reference/chat/object, …/chat-streaming). Chunks are put together from
 * text that is made once a request: there is one for each frame of each caller.
 */
import type { JobOutcome, Usage } from '@starling/contracts';

/** A whole answer. */
export type Done = Extract<JobOutcome, { kind: 'done' }>;

/** What every object of one answer says. */
export interface CompletionHead {
  readonly requestId: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  /** As the caller named it. */
  readonly model: string;
  readonly serviceTier: string | undefined;
}

function usageOf({ promptTokens, completionTokens }: Usage) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** The id that a caller sees. */
const idOf = (requestId: string) => `chatcmpl-${requestId}`;

/** The body of an answer in one piece. */
export function completionBody(head: CompletionHead, outcome: Done): string {
  return JSON.stringify({
    id: idOf(head.requestId),
    object: 'chat.completion',
    created: head.created,
    model: outcome.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: outcome.text, refusal: null },
        logprobs: null,
        finish_reason: outcome.finishReason,
      },
    ],
    usage: usageOf(outcome.usage),
    ...(head.serviceTier !== undefined && { service_tier: head.serviceTier }),
  });
}

/** The chunks of one stream, each as the bytes of its event. */
export class CompletionChunks {
  readonly #before: string;
  readonly #after: string;
  readonly #includeUsage: boolean;

  constructor(head: CompletionHead, options: { readonly includeUsage: boolean }) {
    const { requestId, created, model, serviceTier } = head;
    const shared = JSON.stringify({
      id: idOf(requestId),
      object: 'chat.completion.chunk',
      created,
      model,
      ...(serviceTier !== undefined && { service_tier: serviceTier }),
    });
    this.#before = `data: ${shared.slice(0, -1)},"choices":[`;
    this.#after = `]${options.includeUsage ? ',"usage":null' : ''}}\n\n`;
    this.#includeUsage = options.includeUsage;
  }

  /** The first chunk: who speaks. */
  opening(): string {
    return this.#chunk('{"role":"assistant","content":"","refusal":null}', 'null');
  }

  text(text: string): string {
    return this.#chunk(`{"content":${JSON.stringify(text)}}`, 'null');
  }

  /** Why it ended, the usage where it was asked for, and the end of the stream. */
  closing({ finishReason, usage }: Done): string {
    const counted = this.#includeUsage
      ? `${this.#before}],"usage":${JSON.stringify(usageOf(usage))}}\n\n`
      : '';
    return `${this.#chunk('{}', `"${finishReason}"`)}${counted}data: [DONE]\n\n`;
  }

  #chunk(delta: string, finishReason: string): string {
    return `${this.#before}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}${this.#after}`;
  }
}
