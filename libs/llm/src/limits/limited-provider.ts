/**
 * A provider within limits that the whole fleet shares (features D2). Requests and LLM tokens are reserved
 * just before the call, the prompt's and all that the answer may have, and settled to what was used at the
 * end, however that comes. A call that finds no room waits for it in its slot, in the order of arrival: the
 * provider would not serve it any sooner elsewhere, and the fair queue before the slots stays full. When its
 * time is over the call fails with the time of the next try.
 */
import type { Asked, Buckets } from '@starling/buckets';
import type { Clock, Random } from '@starling/clock';
import type { PoolStats } from '@starling/pool';
import { counter } from '@starling/telemetry';
import type { CallOptions, CompletionRequest, Provider, StreamPart } from '../provider.ts';
import type { ProviderFault } from '../provider-fault.ts';
import type { ToldLimit, ToldLimits } from './limit-headers.ts';
import { piecesIn, promptTokensAtMost } from './prompt-tokens.ts';

export interface ProviderLimits {
  readonly buckets: Buckets;
  /** Names provider and key in the whole fleet; no key. */
  readonly label: string;
  /** 0: no such limit. */
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  /** How long a call may wait for room. */
  readonly waitMs: number;
  /** A minute; shorter where somebody measures. */
  readonly windowMs?: number;
}

const minuteMs = 60_000;
/** Room may come sooner than was told: what calls reserve is more than they use. */
const lookEveryMs = 250;
/** A hold lives this long after its process has died; it is extended three times as often. */
const holdMs = 15_000;
/** What a provider may have written after the last that we have read of it. */
const unreadTokens = 16;
/** For how long headers without a time of their own are believed. */
const toldForMs = minuteMs;

const cancelled: ProviderFault = { code: 'cancelled', retryable: false, detail: 'cancelled' };
/** Faults of calls that the provider has not served. */
const unserved = /^(?:http_(?!5)|connection_refused|connect_timeout|pool_)/;

const waits = counter('starling.llm.limit_waits');

/** See the module's header. */
export class LimitedProvider implements Provider {
  readonly #inner: Provider;
  readonly #limits: ProviderLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #holder: string;
  #calls = 0;
  /** Whoever came last; the next one waits until it has its room, or has left. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    inner: Provider,
    parts: ProviderLimits & { readonly clock: Clock; readonly random: Random },
  ) {
    this.#inner = inner;
    this.#limits = parts;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#holder = `call-${parts.random.integer(2 ** 40).toString(36)}`;
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
    const promptTokens = promptTokensAtMost(request.messages);
    const { tokensPerMinute } = this.#limits;
    const mostTokens = tokensPerMinute === 0 ? Number.MAX_SAFE_INTEGER : tokensPerMinute;
    // An answer that could not fit into a minute at all is kept shorter.
    const maxCompletionTokens = Math.min(request.maxCompletionTokens, mostTokens - promptTokens);
    if (maxCompletionTokens < 1) {
      yield { kind: 'error', fault: { ...noRoom, detail: 'prompt_over_limit' } };
      return;
    }
    this.#calls += 1;
    const id = `${this.#holder}-${this.#calls.toString(36)}`;
    const fault = await this.#reserve(id, promptTokens + maxCompletionTokens, call);
    if (fault) {
      yield { kind: 'error', fault };
      return;
    }
    yield* this.#held({ id, promptTokens, request: { ...request, maxCompletionTokens } }, call);
  }

  /** The call itself, under its hold. */
  async *#held(
    asked: {
      readonly id: string;
      readonly promptTokens: number;
      readonly request: CompletionRequest;
    },
    call: CallOptions,
  ): AsyncGenerator<StreamPart> {
    const { id, promptTokens, request } = asked;
    const { buckets } = this.#limits;
    let written = 0;
    let tokens: number | undefined;
    let extending = this.#clock.schedule(holdMs / 3, () => extend());
    const extend = () => {
      extending = this.#clock.schedule(holdMs / 3, () => extend());
      void buckets.extend(id, { holdMs, buckets: this.#asked(0) });
    };
    try {
      call.onCalled?.();
      const options: CallOptions = {
        ...call,
        onLimits: (told) => {
          this.#heed(told);
          call.onLimits?.(told);
        },
      };
      for await (const part of this.#inner.stream(request, options)) {
        if (part.kind === 'text' || part.kind === 'reasoning') written += piecesIn(part.text);
        if (part.kind === 'usage') tokens = part.usage.promptTokens + part.usage.completionTokens;
        if (part.kind === 'error') {
          const { detail, retryAfterMs } = part.fault;
          if (written === 0 && unserved.test(detail)) tokens = 0;
          if (retryAfterMs !== undefined) this.#rest(retryAfterMs);
        }
        yield part;
      }
    } finally {
      extending[Symbol.dispose]();
      const most = promptTokens + request.maxCompletionTokens;
      const used = tokens ?? Math.min(most, promptTokens + written + unreadTokens);
      // Whoever reads the answer does not wait for it; what Redis does not hear ends by itself.
      void buckets.settle(id, this.#asked(used));
    }
  }

  /** Waits for room; returns why there was none. */
  async #reserve(
    id: string,
    tokens: number,
    call: CallOptions,
  ): Promise<ProviderFault | undefined> {
    const { waitMs } = this.#limits;
    const { deadlineAtMs, signal } = call;
    const giveUpAtMs = Math.min(this.#clock.nowMs() + waitMs, deadlineAtMs);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = done;
    try {
      if (await this.#outlasts(before, signal)) return cancelled;
      return await this.#look({ id, tokens, giveUpAtMs, signal });
    } finally {
      // One that leaves out of turn lets nobody pass whom it stood behind.
      void before.then(() => resolve());
    }
  }

  async #look(of: {
    readonly id: string;
    readonly tokens: number;
    readonly giveUpAtMs: number;
    readonly signal: AbortSignal;
  }): Promise<ProviderFault | undefined> {
    const { giveUpAtMs, id, signal, tokens } = of;
    const { buckets } = this.#limits;
    for (let looks = 1; ; looks += 1) {
      const word = await buckets.reserve({ id, holdMs, asked: this.#asked(tokens) });
      if (word.kind === 'reserved') {
        if (!signal.aborted) return undefined;
        void buckets.settle(id, this.#asked(0, 0));
        return cancelled;
      }
      if (looks === 1)
        waits.add(1, { bucket: word.key.endsWith('tokens') ? 'tokens' : 'requests' });
      const retryAfterMs = word.retryAfterMs ?? minuteMs;
      const pauseMs = Math.min(retryAfterMs, lookEveryMs) + this.#random.integer(20);
      if (this.#clock.nowMs() + pauseMs >= giveUpAtMs) return { ...noRoom, retryAfterMs };
      try {
        await this.#clock.sleep(pauseMs, { signal });
      } catch {
        return cancelled;
      }
    }
  }

  /** Whether the caller leaves before this is over. */
  async #outlasts(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const onAbort = () => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) resolve();
    await Promise.race([work, left]);
    signal.removeEventListener('abort', onAbort);
    return signal.aborted;
  }

  #asked(tokens: number, requests = 1): readonly Asked[] {
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    return [
      ...(requestsPerMinute > 0
        ? [{ ...this.#bucket('requests', requestsPerMinute), amount: requests }]
        : []),
      ...(tokensPerMinute > 0
        ? [{ ...this.#bucket('tokens', tokensPerMinute), amount: tokens }]
        : []),
    ];
  }

  #bucket(name: 'requests' | 'tokens', permits: number): Pick<Asked, 'key' | 'limit'> {
    const { label, windowMs = minuteMs } = this.#limits;
    return { key: `provider:${label}:${name}`, limit: { kind: 'window', permits, windowMs } };
  }

  /** The provider knows its limits better, and who else uses them. */
  #heed({ requests, tokens }: ToldLimits): void {
    const { buckets, requestsPerMinute, tokensPerMinute } = this.#limits;
    const lower = (name: 'requests' | 'tokens', permits: number, told: ToldLimit | undefined) => {
      if (!told || permits === 0) return;
      const { remaining, resetMs } = told;
      // What is as full as can be lowers nothing.
      const forMs = Math.min(resetMs ?? toldForMs, toldForMs);
      if (forMs === 0) return;
      const lowered = { permits: told.permits, remaining, forMs };
      void buckets.lower({ ...this.#bucket(name, permits), ...lowered });
    };
    lower('requests', requestsPerMinute, requests);
    lower('tokens', tokensPerMinute, tokens);
  }

  /** It asked not to be called for a while. */
  #rest(blockedMs: number): void {
    const [first] = this.#asked(0);
    if (!first || blockedMs <= 0) return;
    const { key, limit } = first;
    void this.#limits.buckets.lower({ key, limit, forMs: 0, blockedMs });
  }
}

/** Nobody's fault. Tried again here it would stand at the end of the same line. */
const noRoom: ProviderFault = {
  code: 'too_busy',
  retryable: false,
  detail: 'shared_limit',
};
