/** One call to a provider over a pooled connection; retries and the like are layers around it. */
import type { Clock } from '@starling/clock';
import type { ConnectionLease, ConnectionPool, PoolStats, ProviderResponse } from '@starling/pool';
import { AnswerCollector } from './answer-collector.ts';
import { type CallLimits, CallTimers } from './call-timers.ts';
import type { Dialect } from './dialect.ts';
import type { CallOptions, CompletionRequest, Provider, StreamPart } from './provider.ts';
import {
  faultAfterText,
  faultOfError,
  faultOfStatus,
  type ProviderFault,
  providerCodeIn,
} from './provider-fault.ts';
import { retryAfterMsOf } from './retry-after.ts';

/** How long a server may still send usage after the answer, or keep the stream open after its end. */
const closeAllowanceMs = 1_000;
/** More of an error's body is not read: the connection is given up instead. */
const maxErrorBytes = 8 * 1024;

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
    const asked = { ...request, model: request.model ?? this.#options.defaultModel };
    const answer = new AnswerCollector(asked);
    using ending = new CallEnding(call.signal);
    let fault: ProviderFault | undefined;
    try {
      using lease = await this.#options.pool.acquire({ signal: ending.signal });
      try {
        fault = yield* this.#converse(asked, { answer, lease, ending });
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
    if (fault) yield { kind: 'error', fault: answer.hasText ? faultAfterText(fault) : fault };
    else yield* answer.end();
  }

  /** Sends the question and passes on the answer; returns the fault of a refusing status. */
  async *#converse(
    asked: CompletionRequest & { readonly model: string },
    call: {
      readonly answer: AnswerCollector;
      readonly lease: ConnectionLease;
      readonly ending: CallEnding;
    },
  ): AsyncGenerator<StreamPart, ProviderFault | undefined> {
    const { answer, lease, ending } = call;
    const { clock, dialect, limits } = this.#options;
    using timers = new CallTimers(clock, limits, (fault) => ending.end({ by: 'timer', fault }));
    const response = await lease.connection.request({
      method: 'POST',
      path: dialect.path,
      headers: dialect.headers,
      body: JSON.stringify(dialect.body(asked)),
      signal: ending.signal,
    });
    if (response.status !== 200) return await this.#refusal(response);
    using closing = new DisposableStack();
    for await (const part of dialect.read(response.body, response.headers['content-type'])) {
      if (part.kind === 'text' || part.kind === 'reasoning') timers.token();
      const wasFinished = answer.finished;
      yield* answer.take(part);
      if (answer.full) return undefined;
      if (answer.finished && !wasFinished) {
        closing.use(clock.schedule(closeAllowanceMs, () => ending.end({ by: 'closing' })));
      }
    }
    return undefined;
  }

  async #refusal(response: ProviderResponse): Promise<ProviderFault> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      if (size > maxErrorBytes) break;
      chunks.push(chunk);
    }
    let body: unknown;
    try {
      body = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      // An edge in front of the provider answers in HTML: the status has to do.
    }
    return faultOfStatus(response.status, {
      providerCode: providerCodeIn(body, this.#options.secret),
      retryAfterMs: retryAfterMsOf(response.headers, this.#options.clock.nowMs()),
    });
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
