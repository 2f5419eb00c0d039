/**
 * Tries a call again that failed before its first text, with full jitter. Once text was shown there
 * is no silent second try.
 */
import type { Clock, Random } from '@starling/clock';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import type { PoolStats } from '@starling/pool';
import type { CallOptions, CompletionRequest, Provider, StreamPart } from './provider.ts';
import type { ProviderFault } from './provider-fault.ts';

/** Short beside the first token's 8 s, so that a hiccup is hidden from the reader. */
const backoff: Backoff = { baseMs: 250, capMs: 4_000 };

/** Wraps a provider; everything but failed beginnings passes through. */
export class RetryingProvider implements Provider {
  readonly #inner: Provider;
  readonly #options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly maxRetries: number;
  };

  constructor(
    inner: Provider,
    options: { readonly clock: Clock; readonly random: Random; readonly maxRetries: number },
  ) {
    this.#inner = inner;
    this.#options = options;
  }

  get name(): string {
    return this.#inner.name;
  }

  get defaultModel(): string {
    return this.#inner.defaultModel;
  }

  get maxConcurrent(): number {
    return this.#inner.maxConcurrent;
  }

  stats(): PoolStats {
    return this.#inner.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async *stream(request: CompletionRequest, call: CallOptions): AsyncGenerator<StreamPart> {
    for (let retry = 1; ; retry += 1) {
      const fault = yield* this.#attempt(request, call);
      if (!fault) return;
      const delayMs = this.#delayBefore(retry, fault, call.deadlineAtMs);
      if (delayMs === undefined) {
        yield { kind: 'error', fault };
        return;
      }
      call.onRetry?.({ fault, delayMs, retry });
      try {
        await this.#options.clock.sleep(delayMs, { signal: call.signal });
      } catch {
        yield {
          kind: 'error',
          fault: { code: 'cancelled', retryable: false, detail: 'cancelled' },
        };
        return;
      }
    }
  }

  /** Passes one attempt on; returns the fault that it failed with before any text. */
  async *#attempt(
    request: CompletionRequest,
    call: CallOptions,
  ): AsyncGenerator<StreamPart, ProviderFault | undefined> {
    let hasText = false;
    for await (const part of this.#inner.stream(request, call)) {
      if (part.kind === 'error' && !hasText) return part.fault;
      hasText ||= part.kind === 'text';
      yield part;
    }
    return undefined;
  }

  /** Undefined: the fault is final. */
  #delayBefore(retry: number, fault: ProviderFault, deadlineAtMs: number): number | undefined {
    const { clock, random, maxRetries } = this.#options;
    if (!fault.retryable || retry > maxRetries) return undefined;
    const delayMs = fullJitterMs(backoff, retry, random) + (fault.retryAfterMs ?? 0);
    return clock.nowMs() + delayMs < deadlineAtMs ? delayMs : undefined;
  }
}
