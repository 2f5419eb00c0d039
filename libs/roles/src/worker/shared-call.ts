/**
 * One call of the provider that several jobs read (features A8). Each has a seat: it is read from its
 * first character on, whenever it was taken. The provider's stream goes on while anybody sits there and
 * is closed when the last one leaves. Who began it may leave like anyone else.
 */
import type { CallOptions, CompletionRequest, Provider, StreamPart } from '@starling/llm';
import type { SpanContext } from '@starling/telemetry';

/** How a job calls: as alone, and under which span. */
export interface SeatOptions extends CallOptions {
  readonly span: SpanContext;
}

/** A job's place at a call, from its claim on: while it is taken the call is not given up. */
export interface Seat {
  /** The span of the job that called, when that was another one; known once this one reads. */
  readonly calledBy: SpanContext | undefined;
  /** Whether the call's usage is this job's: the first that reads the ending, or the last that leaves before it. */
  readonly pays: boolean;
  /** The whole answer, as the provider's own `stream` would give it. Calls if nobody has yet. */
  read(request: CompletionRequest, options: SeatOptions): AsyncIterable<StreamPart>;
  /** Harmless when called twice. */
  leave(): void;
}

type Ending = Extract<StreamPart, { kind: 'usage' | 'finish' | 'error' }>;

const cancelled: StreamPart = {
  kind: 'error',
  fault: { code: 'cancelled', retryable: false, detail: 'cancelled' },
};

/** See the module's header. */
export class SharedCall {
  readonly #provider: Provider;
  readonly #onEnd: (characters: number | undefined) => void;
  readonly #upstream = new AbortController();
  readonly #seats = new Set<Seat>();
  #caller: Seat | undefined;
  #callerSpan: SpanContext | undefined;
  #payer: Seat | undefined;
  #text = '';
  readonly #ending: Ending[] = [];
  #state: 'idle' | 'streaming' | 'whole' | 'failed' | 'deserted' = 'idle';
  /** Resolves at the next change, of the text or of somebody's mind. */
  #change = Promise.withResolvers<void>();

  /** @param parts.onEnd called once: with the length of a whole answer, with nothing when there is none */
  constructor(parts: {
    readonly provider: Provider;
    readonly onEnd: (characters: number | undefined) => void;
  }) {
    this.#provider = parts.provider;
    this.#onEnd = parts.onEnd;
  }

  get #isOver(): boolean {
    return this.#state !== 'idle' && this.#state !== 'streaming';
  }

  /** Takes a place. A call that is over without an answer has none that are worth taking. */
  sit(): Seat {
    const call = this;
    const seat: Seat = {
      get calledBy() {
        return call.#caller === seat ? undefined : call.#callerSpan;
      },
      get pays() {
        return call.#payer === seat;
      },
      read: (request, options) => {
        if (!options.signal.aborted) call.#begin(seat, request, options);
        return call.#read(seat, options.signal);
      },
      leave: () => call.#leave(seat),
    };
    this.#seats.add(seat);
    return seat;
  }

  #begin(seat: Seat, request: CompletionRequest, options: SeatOptions): void {
    if (this.#state !== 'idle') return;
    this.#state = 'streaming';
    this.#caller = seat;
    this.#callerSpan = options.span;
    void this.#stream(request, options);
  }

  async #stream(request: CompletionRequest, options: SeatOptions): Promise<void> {
    const { signal } = this.#upstream;
    try {
      // Whoever called may not read along; another one may.
      const shared = { ...options, signal, whole: false };
      for await (const part of this.#provider.stream(request, shared)) {
        if (part.kind === 'text') this.#text += part.text;
        else if (part.kind !== 'reasoning') this.#ending.push(part);
        if (part.kind === 'finish') this.#over('whole');
        if (part.kind === 'error') this.#over('failed');
        this.#tell();
        if (this.#isOver) return;
      }
    } catch {
      // A provider's failures are parts; this is a defect, and ends the stream without one.
    } finally {
      // A stream without an ending: whoever reads it finds out.
      this.#over('failed');
      this.#tell();
    }
  }

  async *#read(seat: Seat, signal: AbortSignal): AsyncGenerator<StreamPart> {
    const wake = () => this.#tell();
    signal.addEventListener('abort', wake);
    try {
      for (let at = 0; !signal.aborted; ) {
        if (at < this.#text.length) {
          const text = this.#text.slice(at);
          at = this.#text.length;
          yield { kind: 'text', text };
        } else if (this.#isOver) {
          this.#payer ??= seat;
          yield* this.#ending;
          return;
        } else {
          await this.#change.promise;
        }
      }
      this.#leave(seat);
      yield cancelled;
    } finally {
      signal.removeEventListener('abort', wake);
      this.#leave(seat);
    }
  }

  #leave(seat: Seat): void {
    if (!this.#seats.delete(seat) || this.#seats.size > 0) return;
    if (this.#isOver) return;
    this.#payer = seat;
    this.#over('deserted');
    this.#upstream.abort();
  }

  #over(state: 'whole' | 'failed' | 'deserted'): void {
    if (this.#isOver) return;
    this.#state = state;
    this.#onEnd(state === 'whole' ? this.#text.length : undefined);
  }

  #tell(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
