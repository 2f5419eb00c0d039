/** Turns what a dialect reads into the port's stream: one ending, usage before it, thoughts apart. */
import type { ChatMessage } from '@starling/contracts';
import type { DialectPart } from './dialect.ts';
import type { StreamPart } from './provider.ts';
import type { ProviderFault } from './provider-fault.ts';
import { ThinkSplitter } from './think-splitter.ts';
import type { TokenCounter } from './token-counter.ts';

/**
 * Characters of one answer. A result has to fit its contract (512 kB) even if each were escaped, and
 * Discord shows 2000 a message: 32 messages. Beyond it the stream is closed and the answer ends with
 * `length`.
 */
export const maxAnswerLength = 64 * 1024;

/** Characters of a model's name as a server gives it: no real one is longer, and it rides on the result. */
const maxModelLength = 200;

/** What a chat's template adds to each message, and to the whole, in LLM tokens; about the same for all models. */
const tokensPerMessage = 4;
const tokensPerChat = 3;

type Finish = Extract<DialectPart, { kind: 'finish' }>['reason'];

/** Collects one answer. */
export class AnswerCollector {
  readonly #messages: readonly ChatMessage[];
  readonly #splitter = new ThinkSplitter();
  #model: string;
  #usage: Extract<DialectPart, { kind: 'usage' }>['usage'] | undefined;
  #finish: Finish | undefined;
  #textLength = 0;
  #reasoningLength = 0;
  /** All that came, to be counted if the server does not. */
  #words = '';

  constructor(request: { readonly model: string; readonly messages: readonly ChatMessage[] }) {
    this.#messages = request.messages;
    this.#model = request.model;
  }

  /** The answer is whole: the server said so, or it has reached its bound. */
  get finished(): boolean {
    return this.#finish !== undefined;
  }

  /** Nothing more can be taken in. */
  get full(): boolean {
    return this.#textLength >= maxAnswerLength || this.#reasoningLength >= maxAnswerLength;
  }

  /** The server has told no figures (so far). */
  get lacksUsage(): boolean {
    return this.#usage === undefined;
  }

  get hasText(): boolean {
    return this.#textLength > 0;
  }

  /** What can be passed on now. */
  take(part: DialectPart): StreamPart[] {
    switch (part.kind) {
      case 'text':
        return this.#bounded(this.#splitter.push(part.text));
      case 'reasoning':
        return this.#bounded([part]);
      case 'model':
        this.#model = part.model.slice(0, maxModelLength);
        return [];
      case 'usage':
        this.#usage = part.usage;
        return [];
      case 'finish':
        this.#finish ??= part.reason;
        return [];
    }
  }

  /**
   * The stream is over: what was held back, then usage and finish, or the fault that it ended in.
   * @param count counts LLM tokens where the server told no figures
   */
  end(count: TokenCounter): StreamPart[] {
    const rest = this.#bounded(this.#splitter.end());
    const fault = this.#shortfall();
    if (fault) return [...rest, { kind: 'error', fault }];
    return [
      ...rest,
      { kind: 'usage', usage: this.#usage ?? this.#estimate(count) },
      { kind: 'finish', reason: this.#finish ?? 'length', model: this.#model },
    ];
  }

  #shortfall(): ProviderFault | undefined {
    if (this.#finish === undefined && !this.full) {
      return { code: 'answer_cut', retryable: true, detail: 'stream_truncated' };
    }
    if (this.hasText) return undefined;
    if (this.#finish === 'content_filter') {
      return { code: 'provider_refused', retryable: false, detail: 'content_filter' };
    }
    // With `length` the model spent everything on thinking, and would again.
    return { code: 'answer_cut', retryable: this.#finish === 'stop', detail: 'empty_answer' };
  }

  #bounded(parts: readonly { kind: 'text' | 'reasoning'; text: string }[]): StreamPart[] {
    const out: StreamPart[] = [];
    for (const { kind, text } of parts) {
      const used = kind === 'text' ? this.#textLength : this.#reasoningLength;
      const kept = text.slice(0, maxAnswerLength - used);
      if (kind === 'text') this.#textLength += kept.length;
      else this.#reasoningLength += kept.length;
      this.#words += kept;
      if (kept !== '') out.push({ kind, text: kept });
    }
    return out;
  }

  #estimate(count: TokenCounter) {
    const prompt = this.#messages.reduce(
      (sum, { content }) => sum + tokensPerMessage + count(content),
      tokensPerChat,
    );
    const completionTokens = count(this.#words);
    return { promptTokens: prompt, completionTokens, estimated: true };
  }
}
