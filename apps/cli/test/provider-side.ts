import { botSection } from '@starling/config';
import { z } from 'zod';

const record = z.object({
  counts: z.object({ requests: z.int(), byEnding: z.record(z.string(), z.int()) }),
  concurrency: z.object({ now: z.int() }),
  requests: z.array(
    z.object({
      ending: z.string(),
      promptHash: z.string().optional(),
      completionTokens: z.int(),
      startedAtMs: z.number(),
      abortSeenMs: z.number().optional(),
    }),
  ),
});

const completion = z.object({
  choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]),
});

const model = 'sim-small';

/** How fast the provider is: `quick` for what is not about time, `slow` for what happens meanwhile. */
const paces = {
  quick: { firstTokenMs: { median: 20 }, tokensPerSecond: { median: 2_000 } },
  /** 60 LLM tokens in 3 s: time to kill a process in the middle. */
  slow: { firstTokenMs: { median: 100 }, tokensPerSecond: { median: 20 } },
} as const;

/** The emulated provider as a scenario sees it: its faults, its pace, and its record, which judges. */
export class ProviderSide {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async pace(pace: keyof typeof paces): Promise<void> {
    await this.#put('/control/profile', {
      models: [{ name: model, answerTokens: { median: 60 }, ...paces[pace] }],
    });
  }

  /** Strikes the next `next` calls, or all from now on; without a fault the provider is healthy. */
  async fault(
    fault?: { readonly kind: string; readonly [option: string]: unknown },
    next?: number,
  ): Promise<void> {
    const rule = { fault, ...(next !== undefined && { next }) };
    await this.#put('/control/faults', { rules: fault ? [rule] : [] });
  }

  async record(): Promise<z.infer<typeof record>> {
    const response = await fetch(`${this.#url}/control/record?requests=1000`);
    return record.parse(await response.json());
  }

  async forget(): Promise<void> {
    await fetch(`${this.#url}/control/record`, { method: 'DELETE' });
  }

  /**
   * What the model answers to the first message of a direct conversation, asked of the provider
   * itself. Its record then has two requests of one prompt: the fleet's and this one.
   */
  async answerTo(text: string): Promise<string> {
    const response = await fetch(`${this.#url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model,
        messages: [
          { role: 'system', content: botSection.persona.default },
          { role: 'user', content: text },
        ],
      }),
    });
    return completion.parse(await response.json()).choices[0].message.content;
  }

  async #put(path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.#url}${path}`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }
}
