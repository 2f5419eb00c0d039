/** The emulated Discord as chaos uses it: people's messages, faults of its API, the record that judges. */
import { z } from 'zod';
import { callJson } from './call-json.ts';

const said = z.object({ messageId: z.string(), owners: z.int() });

const answer = z.object({
  answered: z.boolean(),
  text: z.string(),
  firstTextMs: z.number().nullable(),
  lastChangeMs: z.number().nullable(),
  messages: z.array(
    z.object({
      id: z.string(),
      /** Rows of buttons. */
      components: z.array(
        z.object({ components: z.array(z.object({ custom_id: z.string().optional() })) }),
      ),
    }),
  ),
});

const directory = z.object({
  guilds: z.array(
    z.object({
      id: z.string(),
      channels: z.array(z.object({ id: z.string(), botWrites: z.boolean() })),
      members: z.array(z.object({ id: z.string() })),
    }),
  ),
});

const violation = z.object({
  rule: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

const record = z.object({
  violations: z.array(violation),
  violationCounts: z.record(z.string(), z.int()),
  counts: z.record(z.string(), z.int()),
  owed: z.array(z.object({ id: z.string() })),
  expired: z.array(z.object({ id: z.string() })),
  forgotten: z.int(),
});

const rate = z.object({ limit: z.int(), perMs: z.int() });

const knobs = z.object({
  globalPerSecond: z.int(),
  messagesPerChannel: rate,
  editsPerChannel: rate,
  deletesPerChannel: rate,
  otherRoutes: rate,
});

const sessions = z.object({
  sessions: z.array(z.object({ shard: z.tuple([z.int(), z.int()]), live: z.boolean() })),
});

const faults = z.object({ faults: z.array(z.object({ hits: z.int() })) });

export type Said = z.infer<typeof said>;
export type Answer = z.infer<typeof answer>;
export type DiscordRecord = z.infer<typeof record>;
export type Guild = z.infer<typeof directory>['guilds'][number];
export type DiscordKnobs = z.infer<typeof knobs>;

/** Who says what, and where. */
export interface Saying {
  readonly content: string;
  readonly userId: string;
  readonly channelId?: string;
  readonly dm?: boolean;
  readonly mention?: boolean;
}

/** A fault of Discord's own API; see the emulator's `fault-spec.ts`. */
export type PostFault = { readonly times: number; readonly forMs: number } & (
  | { readonly kind: 'reset' }
  | { readonly kind: 'server_error'; readonly status: 502 }
);

/** A day: what is owed is judged by us, when we have waited for it, and not by its age. */
const neverDueMs = 86_400_000;

export class DiscordSide {
  readonly #url: string;

  /** @param url of the emulator's REST port */
  constructor(url: string) {
    this.#url = url;
  }

  say(saying: Saying): Promise<Said> {
    return this.#call(said, '/people/say', { method: 'POST', body: saying });
  }

  /** A person takes a message back. */
  async delete(messageId: string): Promise<void> {
    await this.#call(z.unknown(), '/people/delete', { method: 'POST', body: { messageId } });
  }

  /** A person presses a button of the bot's message. */
  async press(button: {
    readonly messageId: string;
    readonly userId: string;
    readonly customId: string;
  }): Promise<void> {
    await this.#call(z.unknown(), '/people/press', { method: 'POST', body: button });
  }

  /** What stands below a message now. */
  answer(messageId: string): Promise<Answer> {
    const query = new URLSearchParams({ messageId, timeoutMs: '0', quietMs: '0' });
    return this.#call(answer, `/people/answer?${query}`);
  }

  /** Every guild with its first members. */
  async guilds(): Promise<readonly Guild[]> {
    return (await this.#call(directory, '/people/guilds?limit=1000&members=20')).guilds;
  }

  record(): Promise<DiscordRecord> {
    return this.#call(record, `/control/record?answerDueMs=${neverDueMs}`);
  }

  knobs(): Promise<DiscordKnobs> {
    return this.#call(knobs, '/control/knobs');
  }

  /** Shards that a live connection holds. */
  async liveShards(): Promise<number> {
    const { sessions: all } = await this.#call(sessions, '/control/sessions');
    return new Set(all.filter(({ live }) => live).map(({ shard: [id] }) => id)).size;
  }

  /** Lets POSTs of messages be carried out and their replies be lost. */
  async loseReplies(fault: PostFault): Promise<void> {
    const route = { method: 'POST', pathEnd: '/messages' };
    const body = { ...fault, when: 'after', route };
    await this.#call(z.unknown(), '/control/faults', { method: 'POST', body });
  }

  /** Switches every fault off. @returns how often they hit */
  async endFaults(): Promise<number> {
    const { faults: all } = await this.#call(faults, '/control/faults');
    await this.#call(z.unknown(), '/control/faults', { method: 'DELETE' });
    return all.reduce((sum, { hits }) => sum + hits, 0);
  }

  #call<T>(schema: z.ZodType<T>, path: string, request?: Parameters<typeof callJson>[2]) {
    return callJson(schema, `${this.#url}${path}`, request);
  }
}
