/** The emulator's door for people, as a client: what a person in Discord would do and see. */
import { z } from 'zod';

const said = z.object({ messageId: z.string(), channelId: z.string(), userId: z.string() });

const answer = z.object({
  answered: z.boolean(),
  text: z.string(),
  edits: z.number(),
  messages: z.array(
    z.object({
      id: z.string(),
      content: z.string(),
      /** Rows of buttons. */
      components: z.array(
        z.object({ components: z.array(z.object({ custom_id: z.string().optional() })) }),
      ),
    }),
  ),
  firstTextMs: z.number().nullish(),
});

const record = z.object({ violations: z.array(z.object({ rule: z.string() })) });

export type Said = z.infer<typeof said>;
export type Answer = z.infer<typeof answer>;

/** What a person writes, and where. */
export interface Saying {
  readonly content: string;
  /** In a direct message with the bot rather than in the world's first channel. */
  readonly dm: boolean;
}

/** A door that did not answer as it should; says what it said. */
export class DoorError extends Error {
  override readonly name = 'DoorError';
}

/** Speaks to the emulator at `url`, the address of its REST port. */
export class PeopleDoor {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Writes a message: with a mention of the bot in a guild, without one in a direct message. */
  say({ content, dm }: Saying): Promise<Said> {
    const body = dm ? { dm: true, content } : { content, mention: true };
    return this.#call(said, '/people/say', { method: 'POST', body: JSON.stringify(body) });
  }

  /** The bot's answer once it has stood unchanged for `quietMs`, or `answered: false` at the timeout. */
  answer(
    messageId: string,
    { timeoutMs, quietMs }: { readonly timeoutMs: number; readonly quietMs: number },
  ): Promise<Answer> {
    const query = new URLSearchParams({
      messageId,
      timeoutMs: String(timeoutMs),
      quietMs: String(quietMs),
    });
    return this.#call(answer, `/people/answer?${query}`);
  }

  /** Presses a button of a message. */
  async press(button: {
    readonly messageId: string;
    readonly userId: string;
    readonly customId: string;
  }): Promise<void> {
    await this.#call(z.unknown(), '/people/press', {
      method: 'POST',
      body: JSON.stringify(button),
    });
  }

  /** The rules that the bot broke so far, by the emulator's record. */
  async violations(): Promise<readonly string[]> {
    const { violations } = await this.#call(record, '/control/record');
    return violations.map(({ rule }) => rule);
  }

  async #call<T>(schema: z.ZodType<T>, path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json' },
    });
    const text = await response.text();
    if (!response.ok)
      throw new DoorError(`${path.split('?')[0]} answered ${response.status}: ${text}`);
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new DoorError(`${path.split('?')[0]}: ${z.prettifyError(parsed.error)}`);
  }
}
