/** The port that workers call language models through. */
import type { ChatMessage, Sampling, Usage } from '@starling/contracts';
import type { PoolStats } from '@starling/pool';
import type { ToldLimits } from './limits/limit-headers.ts';
import type { ProviderFault } from './provider-fault.ts';

/** What is asked of a model. */
export interface CompletionRequest {
  /** Absent: the provider's default. */
  readonly model?: string | undefined;
  readonly messages: readonly ChatMessage[];
  /** Upper bound on the answer, in LLM tokens. */
  readonly maxCompletionTokens: number;
  readonly sampling?: Sampling | undefined;
}

/**
 * One part of an answer. A stream ends with exactly one `finish` or `error`; a `finish` has had its
 * `usage` before it.
 */
export type StreamPart =
  | { readonly kind: 'text'; readonly text: string }
  /** What the model thought aloud; never part of the answer (features F9). */
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | {
      readonly kind: 'finish';
      readonly reason: 'stop' | 'length' | 'content_filter';
      /** The model that answered, by the provider's word. */
      readonly model: string;
      /** Which of several providers it was; absent where there is but one. */
      readonly provider?: string | undefined;
      /** What the call cost, US dollars, by the price of its rung; absent where none is known. */
      readonly costUsd?: number | undefined;
      /** What the large model's first priced rung would have cost more, where a rule chose the small one. */
      readonly savedUsd?: number | undefined;
    }
  | { readonly kind: 'error'; readonly fault: ProviderFault };

/** A call is tried again. */
export interface Retry {
  readonly fault: ProviderFault;
  readonly delayMs: number;
  /** 1 for the first retry. */
  readonly retry: number;
}

/** One rung of a ladder was called, and that is over. */
export interface RungCall {
  readonly provider: string;
  /** Name of the key, never the key; empty without one. */
  readonly key: string;
  readonly model: string;
  /** Why it was called: as usual, to see whether it is well again, because no rung is well, or because another is late. */
  readonly as: 'usual' | 'probe' | 'forced' | 'hedge';
  /** `left`: whoever read it went away. */
  readonly ended: 'answered' | 'failed' | 'left';
  readonly ms: number;
  readonly fault?: ProviderFault | undefined;
}

/** A model was chosen by a rule, since none was named. */
export interface MadeChoice {
  readonly size: 'simple' | 'complex';
  readonly rule: string;
  readonly model: string;
}

export interface CallOptions {
  /** Aborting closes the upstream socket at once; the stream ends with the fault `cancelled`. */
  readonly signal: AbortSignal;
  /**
   * Nobody reads along: the answer may come in one piece, which costs both sides far less. Its text then
   * comes with its end, so that no time to its first text is to be learned from it.
   */
  readonly whole?: boolean;
  /**
   * Which attempt at the answer this is, 1 unless given. A further one begins a step lower on the ladder: the
   * step above may be why there is one.
   */
  readonly attempt?: number;
  /** Somebody waits: when the first text is late, the next rung may be asked as well. */
  readonly hedge?: boolean;
  /** Nothing is tried again that could not end by then; milliseconds since the Unix epoch. */
  readonly deadlineAtMs: number;
  readonly onRetry?: (retry: Retry) => void;
  readonly onChoice?: (choice: MadeChoice) => void;
  /** Called for each rung that was dialled, when its call is over. */
  readonly onRungCall?: (call: RungCall) => void;
  /** It goes to the provider now, after whatever it had to wait for; once for each try. */
  readonly onCalled?: () => void;
  /** The provider told of its limits. */
  readonly onLimits?: (told: ToldLimits) => void;
}

/** A language model service. Disposing it closes its connections. */
export interface Provider extends AsyncDisposable {
  /** As OpenTelemetry's `gen_ai.provider.name`: `openai`, `openrouter`, `ollama`. */
  readonly name: string;
  readonly defaultModel: string;
  /** Streams that it carries at once; a further one would wait. */
  readonly maxConcurrent: number;
  /** Never throws for what a provider does: its failures are `error` parts. */
  stream(request: CompletionRequest, options: CallOptions): AsyncIterable<StreamPart>;
  /** Connections now and since the start. */
  stats(): PoolStats;
}
