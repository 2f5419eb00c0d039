import { z } from 'zod';

const said = z.object({
  messageId: z.string(),
  channelId: z.string(),
  userId: z.string(),
  owners: z.int(),
});

const view = z.object({
  id: z.string(),
  authorId: z.string(),
  bot: z.boolean(),
  content: z.string(),
  replyTo: z.string().nullable(),
  mentions: z.array(z.string()),
  components: z.array(z.unknown()),
});

const answer = z.object({
  answered: z.boolean(),
  settled: z.boolean(),
  text: z.string(),
  edits: z.int(),
  messages: z.array(view),
});

const directory = z.object({
  bot: z.object({ id: z.string() }),
  guilds: z.array(
    z.object({
      id: z.string(),
      channels: z.array(z.object({ id: z.string(), botWrites: z.boolean() })),
      members: z.array(z.object({ id: z.string() })),
    }),
  ),
});

const sessions = z.object({
  sessions: z.array(z.object({ live: z.boolean(), shard: z.tuple([z.int(), z.int()]) })),
});

const record = z.object({
  violations: z.array(z.object({ rule: z.string(), detail: z.unknown() })),
  owed: z.array(z.object({ id: z.string() })),
  answered: z.int(),
  lost: z.int(),
});

const pinging = z.object({
  id: z.string(),
  content: z.string(),
  mention_everyone: z.boolean(),
  mentions: z.array(z.object({ id: z.string() })),
  mention_roles: z.array(z.string()),
});

/** What a person writes; see the emulator's `POST /people/say`. */
export interface Saying {
  readonly content: string;
  readonly userId?: string;
  readonly channelId?: string;
  readonly dm?: boolean;
  readonly mention?: boolean;
  readonly replyTo?: string;
  readonly ping?: boolean;
}

/** A person of the emulated world and two channels of one guild in which they can write to the bot. */
export interface Place {
  readonly userId: string;
  readonly channelId: string;
  readonly otherChannelId: string;
}

export type Said = z.infer<typeof said>;

/** The emulated Discord as a scenario sees it: its doors for people, and its record, which judges. */
export class DiscordSide {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  say(saying: Saying): Promise<Said> {
    return this.#call(said, 'POST', '/people/say', saying);
  }

  async edit(messageId: string, content: string): Promise<void> {
    await this.#call(z.unknown(), 'POST', '/people/edit', { messageId, content });
  }

  async remove(messageId: string): Promise<void> {
    await this.#call(z.unknown(), 'POST', '/people/delete', { messageId });
  }

  /** Presses a button of a message. */
  async press(button: { messageId: string; userId: string; customId: string }): Promise<void> {
    await this.#call(z.unknown(), 'POST', '/people/press', button);
  }

  /** The answer once it stood unchanged for `quietMs`; what is there when the time is over. */
  answer(
    messageId: string,
    { timeoutMs = 60_000, quietMs = 1_500 }: { timeoutMs?: number; quietMs?: number } = {},
  ): Promise<z.infer<typeof answer>> {
    const query = new URLSearchParams({
      messageId,
      timeoutMs: String(timeoutMs),
      quietMs: String(quietMs),
    });
    return this.#call(answer, 'GET', `/people/answer?${query}`);
  }

  /** Every message that stands in a channel, oldest first. */
  async messages(channelId: string): Promise<readonly z.infer<typeof view>[]> {
    const channel = z.object({ messages: z.array(view) });
    return (await this.#call(channel, 'GET', `/people/channel?id=${channelId}&limit=200`)).messages;
  }

  /** The account of the bot. */
  async botId(): Promise<string> {
    return (await this.#call(directory, 'GET', '/people/guilds')).bot.id;
  }

  /** One place in every guild, each with a person of its own. */
  async places(): Promise<readonly Place[]> {
    const { guilds } = await this.#call(directory, 'GET', '/people/guilds?limit=1000');
    const taken = new Set<string>();
    return guilds.flatMap(({ channels, members }) => {
      const [channel, other] = channels.filter(({ botWrites }) => botWrites);
      const member = members.find(({ id }) => !taken.has(id));
      if (!channel || !other || !member) return [];
      taken.add(member.id);
      return [{ userId: member.id, channelId: channel.id, otherChannelId: other.id }];
    });
  }

  /** A channel of the last guild, and so many people who can write there. */
  async crowd(size: number): Promise<{ readonly channelId: string; readonly userIds: string[] }> {
    const { guilds } = await this.#call(directory, 'GET', '/people/guilds?limit=1000');
    const guild = guilds.findLast(({ members }) => members.length >= size);
    const channel = guild?.channels.find(({ botWrites }) => botWrites);
    if (!guild || !channel) throw new Error(`no guild of ${size} people`);
    return { channelId: channel.id, userIds: guild.members.slice(0, size).map(({ id }) => id) };
  }

  /** Shards that have a connected gateway session now. */
  async liveShards(): Promise<readonly number[]> {
    const { sessions: all } = await this.#call(sessions, 'GET', '/control/sessions');
    return all.filter(({ live }) => live).map(({ shard: [id] }) => id);
  }

  record(): Promise<z.infer<typeof record>> {
    return this.#call(record, 'GET', '/control/record');
  }

  /** A message as Discord's API shows it to the bot. */
  seenByBot(message: { channelId: string; messageId: string }, botToken: string) {
    const { channelId, messageId } = message;
    const path = `/api/v10/channels/${channelId}/messages/${messageId}`;
    return this.#call(pinging, 'GET', path, undefined, botToken);
  }

  /** Writes as the bot itself: the one program that the emulated world lets in. */
  async writeAsBot(message: { channelId: string; content: string }, botToken: string) {
    const { channelId, content } = message;
    const path = `/api/v10/channels/${channelId}/messages`;
    return (await this.#call(pinging, 'POST', path, { content }, botToken)).id;
  }

  async #call<T>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    botToken?: string,
  ): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(botToken !== undefined && { authorization: `Bot ${botToken}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return schema.parse(JSON.parse(text));
  }
}
