/** One call to a provider over a pooled connection; retries and the like are layers around it. */
import type { Clock } from '@starling/clock';
import type { ConnectionLease, ConnectionPool, PoolStats } from '@starling/pool';
import { AnswerCollector } from './answer-collector.ts';
import { type CallLimits, CallTimers } from './call-timers.ts';
import type { Asked, Dialect } from './dialect.ts';
import { toldLimitsOf } from './limits/limit-headers.ts';
import { PartQueue } from './part-queue.ts';
import type { CallOptions, CompletionRequest, Provider, StreamPart } from './provider.ts';
import { faultAfterText, faultOfError, type ProviderFault } from './provider-fault.ts';
import { ResponseAnswer } from './response-answer.ts';
import { tokenCounter } from './token-counter.ts';
import { wholeLimits } from './whole-limits.ts';

/** How long a server may still send usage after the answer, or keep the stream open after its end. */
const closeAllowanceMs = 1_000;

export interface HttpProviderOptions {
  readonly name: string;
  readonly defaultModel: string;
  readonly dialect: Dialect;
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  readonly limits: CallLimits;
  /** The key, only to keep it out of faults. */
  readonly secret: string | undefined;
}

/** The server counted. */
const uncounted = () => 0;

const cancelled: ProviderFault = { code: 'cancelled', retryable: false, detail: 'cancelled' };

/** A provider behind one pool, without retries. */
export class HttpProvider implements Provider {
  readonly #options: HttpProviderOptions;

  constructor(options: HttpProviderOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get defaultModel(): string {
    return this.#options.defaultModel;
  }

  get maxConcurrent(): number {
    return this.#options.pool.stats().max;
  }

  stats(): PoolStats {
    return this.#options.pool.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.pool[Symbol.asyncDispose]();
  }

  async *stream(request: CompletionRequest, call: CallOptions): AsyncGenerator<StreamPart> {
    const model = request.model ?? this.#options.defaultModel;
    const asked = { ...request, model, whole: call.whole ?? false };
    const queue = new PartQueue();
    const ending = new CallEnding(call.signal);
    const { onLimits } = call;
    const answered = this.#answer(asked, { queue, ending, onLimits }).finally(() => queue.close());
    try {
      for (let parts = await queue.take(); parts.length > 0; parts = await queue.take()) {
        for (const part of parts) yield part;
      }
    } finally {
      // The reader left in the middle.
      if (!queue.closed) ending.end({ by: 'caller' });
      await answered;
    }
  }

  /** Never rejects; the queue has the answer with its ending. */
  async #answer(
    asked: Asked,
    call: {
      readonly queue: PartQueue;
      readonly ending: CallEnding;
      readonly onLimits: CallOptions['onLimits'];
    },
  ): Promise<void> {
    const { onLimits, queue } = call;
    const answer = new AnswerCollector(asked);
    using ending = call.ending;
    let fault: ProviderFault | undefined;
    try {
      using lease = await this.#options.pool.acquire({ signal: ending.signal });
      try {
        fault = await this.#converse(asked, { answer, lease, ending, queue, onLimits });
      } catch (error) {
        // After the caller's abort the connection dials anew; after anything else nobody knows.
        if (ending.cause?.by !== 'caller') lease.destroy();
        throw error;
      }
    } catch (error) {
      if (ending.cause?.by === 'caller') fault = cancelled;
      else if (!answer.finished) {
        fault = ending.cause?.by === 'timer' ? ending.cause.fault : faultOfError(error);
      }
    }
    if (fault) {
      queue.push({ kind: 'error', fault: answer.hasText ? faultAfterText(fault) : fault });
      return;
    }
    const count = answer.lacksUsage ? await tokenCounter() : uncounted;
    for (const part of answer.end(count)) queue.push(part);
  }

  /** Sends the question and passes on the answer; returns the fault of a refusing status. */
  async #converse(
    asked: Asked,
    call: {
      readonly answer: AnswerCollector;
      readonly lease: ConnectionLease;
      readonly ending: CallEnding;
      readonly queue: PartQueue;
      readonly onLimits: CallOptions['onLimits'];
    },
  ): Promise<ProviderFault | undefined> {
    const { answer, lease, ending, onLimits, queue } = call;
    const { clock, dialect, secret } = this.#options;
    const limits = asked.whole
      ? wholeLimits(this.#options.limits, asked.maxCompletionTokens)
      : this.#options.limits;
    using timers = new CallTimers(clock, limits, (fault) => ending.end({ by: 'timer', fault }));
    using closing = new DisposableStack();
    const response = new ResponseAnswer({
      ...{ dialect, answer },
      say: (part) => queue.push(part),
      onToken: () => timers.token(),
      onHead: (header) => {
        const told = onLimits && toldLimitsOf(header);
        if (told) onLimits(told);
      },
      onFinish: () => {
        closing.use(clock.schedule(closeAllowanceMs, () => ending.end({ by: 'closing' })));
      },
    });
    await lease.connection.exchange(
      {
        method: 'POST',
        path: dialect.path,
        headers: dialect.headers,
        body: JSON.stringify(dialect.body(asked)),
        signal: ending.signal,
      },
      response,
    );
    return response.end({ secret, nowMs: clock.nowMs() });
  }
}

/** Why a call was ended from our side. `closing`: the answer is whole, the stream was left open. */
type Cause =
  | { readonly by: 'caller' }
  | { readonly by: 'timer'; readonly fault: ProviderFault }
  | { readonly by: 'closing' };

/** The one abort of a call, and the first reason for it. */
class CallEnding implements Disposable {
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal;
  readonly #onAbort = () => this.end({ by: 'caller' });
  cause: Cause | undefined;

  constructor(caller: AbortSignal) {
    this.#caller = caller;
    caller.addEventListener('abort', this.#onAbort, { once: true });
    if (caller.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(cause: Cause): void {
    this.cause ??= cause;
    this.#abort.abort();
  }

  [Symbol.dispose](): void {
    this.#caller.removeEventListener('abort', this.#onAbort);
  }
}
