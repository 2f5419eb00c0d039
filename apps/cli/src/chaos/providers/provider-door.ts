/** The emulated provider's control door, as far as faults of providers go. */
import { z } from 'zod';
import { callJson } from '../call-json.ts';

const record = z.object({
  counts: z.object({ requests: z.int() }),
  forgotten: z.int(),
  requests: z.array(
    z.object({
      model: z.string().optional(),
      keyLabel: z.string(),
      tag: z.int().optional(),
      fault: z.string().optional(),
    }),
  ),
});

/** A call of a model as the provider saw it. */
export type SeenCall = z.infer<typeof record>['requests'][number];

/** A fault of the emulator (its `fault.ts` has all of them). */
export type PlayedFault = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** Which requests a fault strikes, and how often. */
export interface FaultRule {
  readonly match: { readonly model?: string; readonly key?: string };
  readonly probability?: number;
  readonly fault: PlayedFault | readonly PlayedFault[];
}

/** More than the record keeps. */
const all = 1_000_000;

export class ProviderDoor {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Sets the models, all of one speed: an answer of some 30 LLM tokens takes a fifth of a second.
   * @param acceptedKeys who is let in; everybody unless given
   */
  async setModels(
    names: readonly string[],
    options: { readonly seed: number; readonly acceptedKeys?: readonly string[] },
  ): Promise<void> {
    const models = names.map((name) => ({
      name,
      firstTokenMs: { median: 40, sigma: 0.3 },
      tokensPerSecond: { median: 200, sigma: 0.2 },
      answerTokens: { median: 30, sigma: 0.2 },
      tokensPerChunk: 2,
    }));
    const body = { models, ...options };
    await callJson(z.unknown(), `${this.#url}/control/profile`, { method: 'PUT', body });
  }

  async setFaults(rules: readonly FaultRule[], seed: number): Promise<void> {
    const body = { rules, seed };
    await callJson(z.unknown(), `${this.#url}/control/faults`, { method: 'PUT', body });
  }

  /**
   * Every call so far.
   * @throws {Error} when the record has forgotten some
   */
  async calls(): Promise<readonly SeenCall[]> {
    const query = new URLSearchParams({ requests: String(all), windowMs: '1' });
    const { forgotten, requests } = await callJson(record, `${this.#url}/control/record?${query}`);
    if (forgotten > 0) throw new Error(`the provider forgot ${forgotten} calls`);
    return requests;
  }
}
