/** The emulated provider as chaos uses it: how it answers, and what its record says is streaming. */
import { z } from 'zod';
import { callJson } from './call-json.ts';

const record = z.object({
  counts: z.object({ requests: z.int() }),
  forgotten: z.int(),
  requests: z.array(
    z.object({
      ending: z.string(),
      firstTokenMs: z.number().optional(),
      endMs: z.number().optional(),
      startedAtMs: z.number(),
      tag: z.int().optional(),
    }),
  ),
});

/** A call of the model. */
export interface ModelCall {
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number;
  /** Likewise; absent while it is open. */
  readonly endedAtMs?: number;
  /** `aborted`: the caller closed it. */
  readonly ending: string;
}

/** Requests that are looked at: many more than the fleet has slots. */
const latest = 400;
/** More than the record keeps. */
const all = 1_000_000;

/** Answers of about a second: 0.25 s to the first LLM token, then 60 of them at 75 a second. */
const profile = {
  models: [
    {
      name: 'sim-small',
      firstTokenMs: { median: 250, sigma: 0.3 },
      tokensPerSecond: { median: 75, sigma: 0.2 },
      answerTokens: { median: 60, sigma: 0.3 },
      tokensPerChunk: 3,
    },
  ],
};

export class ProviderSide {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sets the speed of answers that chaos is defined by. */
  async setProfile({ seed }: { readonly seed: number }): Promise<void> {
    const body = { ...profile, seed };
    await callJson(z.unknown(), `${this.#url}/control/profile`, { method: 'PUT', body });
  }

  /** Answers of which a first LLM token was sent and the last one was not. */
  async streaming(): Promise<number> {
    const { requests } = await this.#record(latest);
    return requests.filter(
      ({ ending, firstTokenMs }) => ending === 'open' && firstTokenMs !== undefined,
    ).length;
  }

  /**
   * Every call of the model so far by the number of its message, those that were cut off included.
   * @throws {Error} when the record has forgotten some
   */
  async calls(): Promise<ReadonlyMap<number, readonly ModelCall[]>> {
    const { counts, forgotten, requests } = await this.#record(all);
    if (forgotten > 0) throw new Error(`the provider forgot ${forgotten} of ${counts.requests}`);
    const calls = new Map<number, ModelCall[]>();
    for (const { ending, endMs, startedAtMs, tag } of requests) {
      if (tag === undefined) continue;
      const call = {
        startedAtMs,
        ending,
        ...(endMs !== undefined && { endedAtMs: startedAtMs + endMs }),
      };
      calls.set(tag, [...(calls.get(tag) ?? []), call]);
    }
    return calls;
  }

  #record(requests: number): Promise<z.infer<typeof record>> {
    const query = new URLSearchParams({ requests: String(requests), windowMs: '1' });
    return callJson(record, `${this.#url}/control/record?${query}`);
  }
}
