import type { Buckets } from '@starling/buckets';
import { type ApiProblem, requestProblem } from './api-problem.ts';

const minuteMs = 60_000;

/** How often each caller may ask, over every ingress (features D1). */
export class CallerRates {
  readonly #buckets: Buckets;
  readonly #perMinute: number;

  constructor(parts: { readonly buckets: Buckets; readonly perMinute: number }) {
    this.#buckets = parts.buckets;
    this.#perMinute = parts.perMinute;
  }

  /** Counts a request of the caller; a problem when it was one too many, which then counts nothing. */
  async problem(caller: string, requestId: string): Promise<ApiProblem | undefined> {
    const limit = { kind: 'window', permits: this.#perMinute, windowMs: minuteMs } as const;
    const asked = [{ key: `minute:caller:${caller}`, limit, amount: 1, spent: true }];
    const word = await this.#buckets.reserve({ id: requestId, holdMs: 0, asked });
    if (word.kind === 'reserved') return undefined;
    const message = `This API key may ask ${this.#perMinute} times a minute: ask again when Retry-After says.`;
    const problem = requestProblem('rate_limit_exceeded', message);
    return { ...problem, retryAfterMs: word.retryAfterMs ?? minuteMs };
  }
}
