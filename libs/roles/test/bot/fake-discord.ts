import {
  type ChannelId,
  channelId,
  guildId,
  type MessageId,
  messageId,
  type UserId,
  userId,
} from '@starling/contracts';
import {
  type EditPace,
  type InteractionHandle,
  type MessageEdit,
  type NewMessage,
  type PostedPart,
  type ReferencedMessage,
  SendError,
  type StopTarget,
  stopButtonId,
} from '@starling/discord';
import type {
  DiscordGateway,
  DiscordInteractions,
  DiscordSender,
  GatewayEars,
} from '../../src/bot/index.ts';

export const self = userId.parse('500000000000000000');
export const ada = userId.parse('400000000000000000');
export const channel = channelId.parse('200000000000000000');
export const guild = guildId.parse('300000000000000000');

interface Shown {
  readonly id: MessageId;
  readonly channel: ChannelId;
  readonly nonce: string;
  readonly replyTo?: MessageId | undefined;
  content: string;
  edits: number;
  /** Its Stop button. */
  stop: StopTarget | undefined;
}

/** An answer to an interaction. */
interface Said {
  readonly kind: keyof DiscordInteractions;
  readonly interaction: string;
  readonly text?: string;
}

type Call =
  | keyof Pick<DiscordSender, 'post' | 'edit' | 'remove' | 'typing' | 'fetch' | 'fetchAfter'>
  | keyof DiscordInteractions;

/** One Discord for a bot under test: what its users see, and faults on demand. */
export class FakeDiscord implements DiscordGateway, DiscordSender, DiscordInteractions {
  self: UserId | undefined = self;
  closed = false;
  typings = 0;
  /** Waits that `reserveEdit` hands out, unless there is a pace. */
  editWaitMs = 0;
  pace: EditPace | undefined;
  /** Told of each edit. */
  onEdit: () => void = () => {};
  readonly shown: Shown[] = [];
  /** Answers to interactions, in order. */
  readonly said: Said[] = [];
  readonly fetched = new Map<string, ReferencedMessage>();
  readonly #ears = new Set<GatewayEars>();
  readonly #faults: { call: Call; error: SendError; afterwards: boolean; times: number }[] = [];
  #ids = 0;

  /** The next `times` such calls fail; `afterwards`: although they had their effect. */
  failNext(
    call: Call,
    fault: SendError['fault'],
    options: { readonly times?: number; readonly afterwards?: boolean } = {},
  ): void {
    const { afterwards = false, times = 1 } = options;
    this.#faults.push({
      call,
      error: new SendError(fault, `told to be ${fault}`),
      afterwards,
      times,
    });
  }

  /** What stands in the channel, in order. */
  get texts(): string[] {
    return this.shown.map(({ content }) => content);
  }

  nextId(): MessageId {
    return messageId.parse(String(1_400_000_000_000_000_000n + BigInt(++this.#ids)));
  }

  /** A dispatch of a message as the gateway sends it; each test states its difference. */
  say(content: string, difference: Record<string, unknown> = {}): MessageId {
    const id = this.nextId();
    this.dispatch({
      id,
      channel_id: channel,
      guild_id: guild,
      type: 0,
      content: `<@${self}> ${content}`,
      author: { id: ada, username: 'ada' },
      mentions: [{ id: self }],
      attachments: [],
      ...difference,
    });
    return id;
  }

  /** The same as a direct message. */
  sayDirectly(content: string, difference: Record<string, unknown> = {}): MessageId {
    return this.say('', { content, mentions: [], guild_id: undefined, ...difference });
  }

  dispatch(data: unknown): void {
    for (const ears of this.#ears) ears.message(data);
  }

  delete(id: MessageId): void {
    for (const ears of this.#ears) ears.deleted({ id, channel_id: channel });
  }

  /** Somebody presses the Stop button of a message; each test states its difference. */
  press(target: StopTarget, difference: Record<string, unknown> = {}): string {
    const id = this.nextId();
    const interaction = {
      ...{ id, application_id: self, token: `token-of-${id}`, type: 3, channel_id: channel },
      member: { user: { id: target.asker }, permissions: '0' },
      data: { custom_id: stopButtonId(target), component_type: 2 },
      ...difference,
    };
    for (const ears of this.#ears) ears.interaction(interaction);
    return id;
  }

  listen(ears: GatewayEars): Disposable {
    this.#ears.add(ears);
    return { [Symbol.dispose]: () => this.#ears.delete(ears) };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#ears.clear();
  }

  post(to: ChannelId, message: NewMessage): Promise<PostedPart> {
    return this.#call('post', () => {
      const same = this.shown.find(({ nonce }) => nonce === message.nonce);
      const shown = same ?? {
        id: this.nextId(),
        channel: to,
        nonce: message.nonce,
        replyTo: message.replyTo,
        content: message.content,
        edits: 0,
        stop: message.stop,
      };
      if (!same) this.shown.push(shown);
      const stoppable = shown.stop !== undefined;
      return { messageId: shown.id, content: shown.content, stoppable };
    });
  }

  edit(_channel: ChannelId, { content, messageId, stop }: MessageEdit): Promise<void> {
    return this.#call('edit', () => {
      const shown = this.shown.find(({ id }) => id === messageId);
      if (!shown) throw new SendError('gone', 'Unknown Message');
      shown.content = content;
      shown.stop = stop;
      shown.edits += 1;
      this.onEdit();
    });
  }

  remove(_channel: ChannelId, message: MessageId): Promise<void> {
    return this.#call('remove', () => {
      const index = this.shown.findIndex(({ id }) => id === message);
      if (index === -1) throw new SendError('gone', 'Unknown Message');
      this.shown.splice(index, 1);
    });
  }

  typing(): Promise<void> {
    return this.#call('typing', () => {
      this.typings += 1;
    });
  }

  fetch(_channel: ChannelId, message: MessageId): Promise<ReferencedMessage> {
    return this.#call('fetch', () => {
      const found = this.fetched.get(message);
      if (!found) throw new SendError('gone', 'Unknown Message');
      return found;
    });
  }

  fetchAfter(_channel: ChannelId, message: MessageId): Promise<readonly ReferencedMessage[]> {
    return this.#call('fetchAfter', () =>
      this.shown
        .filter(({ id }) => BigInt(id) > BigInt(message))
        .map(({ content, id, replyTo, stop }) => ({
          id,
          content,
          hasControls: stop !== undefined,
          author: { id: self, name: 'starling', isBot: true },
          ...(replyTo && { repliesTo: replyTo }),
        })),
    );
  }

  reserveEdit(to: ChannelId): number {
    return this.pace?.reserve(to) ?? this.editWaitMs;
  }

  acknowledge = (to: InteractionHandle) => this.#say('acknowledge', to);
  reply = (to: InteractionHandle, text: string) => this.#say('reply', to, text);
  suggestNothing = (to: InteractionHandle) => this.#say('suggestNothing', to);
  followUp = (to: InteractionHandle, text: string) => this.#say('followUp', to, text);
  clearButtons = (to: InteractionHandle) => this.#say('clearButtons', to);

  #say(kind: keyof DiscordInteractions, to: InteractionHandle, text?: string): Promise<void> {
    return this.#call(kind, () => {
      this.said.push({ kind, interaction: to.id, ...(text !== undefined && { text }) });
    });
  }

  reserveNote(to: ChannelId, call: 'post' | 'edit'): number | undefined {
    return this.pace ? this.pace.reserveNote(to, call) : this.editWaitMs;
  }

  async #call<T>(call: Call, effect: () => T): Promise<T> {
    const fault = this.#faults.find((candidate) => candidate.call === call && candidate.times > 0);
    if (fault) {
      fault.times -= 1;
      if (fault.afterwards) effect();
      throw fault.error;
    }
    return effect();
  }
}
