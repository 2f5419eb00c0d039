import type { Clock } from '@starling/clock';
import { type ChatRequest, directivesOf } from '../chat-request.ts';
import type { AnswerPlan } from '../plan-answer.ts';
import type { Ending } from '../send-reply.ts';

/** One chat request as the record tells it. Durations are milliseconds after its start. */
export interface RequestReading {
  readonly id: number;
  readonly path: string;
  readonly connection: number;
  /** A hash of the key, or `key-none`. */
  readonly keyLabel: string;
  readonly model?: string;
  readonly promptHash?: string;
  /** The number that its last message gave it. */
  readonly tag?: number;
  readonly stream?: boolean;
  /** The fault that struck it. */
  readonly fault?: string;
  /** Wall-clock milliseconds at which its headers had arrived. */
  readonly startedAtMs: number;
  readonly status?: number;
  /** The first byte of the reply; of a stream, its headers. */
  readonly firstByteMs?: number;
  readonly firstTokenMs?: number;
  readonly endMs?: number;
  /** When the client's close was seen, if it came before the reply's end. */
  readonly abortSeenMs?: number;
  /** `open` while it is in flight. */
  readonly ending: Ending | 'open';
  /** What would be billed: nothing if it was refused, else the prompt and the tokens made so far. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Follows one request from its headers to its ending. */
export class RequestEntry {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #slot: Disposable;
  readonly #onEnd: (reading: RequestReading) => void;
  readonly #reading: Mutable<RequestReading>;
  #plan: AnswerPlan | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly id: number;
    readonly path: string;
    readonly connection: number;
    readonly keyLabel: string;
    /** Given back at the end. */
    readonly slot: Disposable;
    readonly onEnd: (reading: RequestReading) => void;
  }) {
    const { clock, id, path, connection, keyLabel } = options;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#slot = options.slot;
    this.#onEnd = options.onEnd;
    this.#reading = {
      id,
      path,
      connection,
      keyLabel,
      startedAtMs: clock.nowMs(),
      ending: 'open',
      promptTokens: 0,
      completionTokens: 0,
    };
  }

  get reading(): RequestReading {
    return this.#reading;
  }

  understood({ messages, model, promptHash, stream }: ChatRequest): void {
    const { tag } = directivesOf(messages);
    Object.assign(this.#reading, { model, promptHash, stream }, tag !== undefined && { tag });
  }

  struckBy(kind: string): void {
    this.#reading.fault = kind;
  }

  /** From here on the prompt is billed. */
  accepted(plan: AnswerPlan): void {
    this.#plan = plan;
    this.#reading.promptTokens = plan.usage.promptTokens;
  }

  head(status: number): void {
    this.#reading.status = status;
    this.#reading.firstByteMs ??= this.#elapsedMs();
  }

  bytes(tokens: number): void {
    this.#reading.firstByteMs ??= this.#elapsedMs();
    if (tokens === 0) return;
    this.#reading.firstTokenMs ??= this.#elapsedMs();
    this.#reading.completionTokens += tokens;
  }

  ended(ending: Ending): void {
    if (this.#reading.ending !== 'open') return;
    this.#reading.ending = ending;
    this.#reading.endMs = this.#elapsedMs();
    if (ending === 'aborted') {
      this.#reading.abortSeenMs = this.#reading.endMs;
      this.#billUnsent();
    }
    // The record keeps this entry for long; the schedule would be most of its weight.
    this.#plan = undefined;
    this.#slot[Symbol.dispose]();
    this.#onEnd(this.#reading);
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startMs;
  }

  /** A whole answer was being made until the client left: bills the tokens due by then. */
  #billUnsent(): void {
    if (!this.#plan || this.#reading.stream) return;
    const elapsedMs = this.#elapsedMs();
    let made = 0;
    for (const chunk of this.#plan.chunks) if (chunk.atMs <= elapsedMs) made += chunk.tokens;
    this.#reading.completionTokens = Math.max(this.#reading.completionTokens, made);
  }
}
