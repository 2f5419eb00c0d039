import type { DiscordEmulator } from '@starling/discord-emulator/testing';

/** An answer as a person sees it. */
export interface SeenAnswer {
  readonly answered: boolean;
  readonly settled: boolean;
  readonly text: string;
  readonly edits: number;
  readonly firstTextMs: number | null;
  readonly messages: readonly {
    readonly id: string;
    readonly content: string;
    readonly components: readonly unknown[];
  }[];
  readonly typing: readonly number[];
}

/** The people of an emulated Discord, by their HTTP door. */
export function peopleOf({ restUrl }: Pick<DiscordEmulator, 'restUrl'>) {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${restUrl}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const speak = async (input: object) =>
    (await post('/people/say', input)) as {
      readonly messageId: string;
      readonly channelId: string;
      readonly userId: string;
    };
  return {
    /** Says something and tells who said it where. */
    speak,
    /** Says something; the id of the message. */
    say: async (input: object) => (await speak(input)).messageId,
    delete: (messageId: string) => post('/people/delete', { messageId }),
    edit: (messageId: string, content: string) => post('/people/edit', { messageId, content }),
    async answer(messageId: string, options: { quietMs?: number; timeoutMs?: number } = {}) {
      const { quietMs = 1500, timeoutMs = 15_000 } = options;
      const query = new URLSearchParams({
        messageId,
        quietMs: String(quietMs),
        timeoutMs: String(timeoutMs),
      });
      const response = await fetch(`${restUrl}/people/answer?${query}`);
      return (await response.json()) as SeenAnswer;
    },
  };
}
