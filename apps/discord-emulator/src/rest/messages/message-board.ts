/**
 * The one place where messages come into being, change and go: for the bot through REST, for people
 * through the door. Each change is stored, dispatched to the gateway, shown to those who watch, and
 * reported to the record, in this order.
 */
import type { Clock } from '@starling/clock';
import type { KnobStore } from '../../core/knobs.ts';
import { createMessageStore, type MessageStore } from '../../core/message-store.ts';
import type { MessagePayload } from '../../core/payloads.ts';
import type { Dispatcher, RecordKeeper } from '../../core/ports.ts';
import type { World } from '../../core/world.ts';
import { AnswerLinks } from './answer-links.ts';
import { BoundedMap } from './bounded-map.ts';
import { createdEvent, deletedEvent, editedEvent, typingEvent } from './message-dispatch.ts';
import {
  isEphemeral,
  isLoading,
  type MessageDraft,
  mentionFields,
  messageOf,
} from './message-draft.ts';
import { type ChannelListener, ChannelListeners } from './message-events.ts';

/** What an edit changes; what is absent stays. */
export type MessagePatch = Partial<
  Pick<MessagePayload, 'content' | 'embeds' | 'components' | 'attachments' | 'flags'>
> & { readonly allowedMentions?: MessageDraft['allowedMentions'] };

export interface BoardParts {
  readonly clock: Clock;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly dispatcher: Dispatcher;
  readonly keeper: RecordKeeper;
}

export class MessageBoard {
  readonly links: AnswerLinks;
  readonly #parts: BoardParts;
  readonly #listeners = new ChannelListeners();
  /** Messages that only one user sees: no channel lists them and no gateway event tells of them. */
  readonly #ephemerals: MessageStore;
  /** Where a message is, so that the door needs only its id. */
  readonly #places: BoundedMap<string, string>;

  constructor(parts: BoardParts) {
    this.#parts = parts;
    const total = () => parts.knobs.current.messagesKept;
    this.links = new AnswerLinks(total);
    this.#places = new BoundedMap(total);
    this.#ephemerals = createMessageStore(() => ({
      perChannel: parts.knobs.current.messagesKeptPerChannel,
      total: total(),
    }));
  }

  /** Listens to one channel, or to all of them. */
  listen(channelId: string | undefined, listener: ChannelListener): Disposable {
    return this.#listeners.add(channelId, listener);
  }

  /** Posts a message. @returns it, with the number of sessions that took its event */
  post(draft: MessageDraft): { readonly message: MessagePayload; readonly owners: number } {
    const { world, clock, keeper } = this.#parts;
    const atMs = clock.nowMs();
    const message = messageOf(draft, {
      id: world.snowflakes.next(),
      atMs,
      userOf: world.user,
      applicationId: world.application.id,
    });
    this.#store(message).add(message);
    this.#places.set(message.id, message.channel_id);
    const byBot = message.author.id === world.bot.id;
    const answersTo = byBot ? this.#link(message, draft) : undefined;
    if (!byBot) this.links.ask({ id: message.id, channelId: draft.channel.id, isDm: isDm(draft) });
    this.#countInThread(message);
    const owners = this.#dispatch(message, createdEvent);
    this.#listeners.emit({ kind: 'created', message, atMs, answersTo });
    keeper.count('messages_created');
    if (byBot && !this.isPending(message))
      keeper.answered(answered(message, { toId: answersTo, atMs }));
    return { message, owners };
  }

  /** A stored message, an ephemeral one included, with its reference as it is now. */
  get(channelId: string, messageId: string): MessagePayload | undefined {
    const message =
      this.#parts.world.messages.get(channelId, messageId) ??
      this.#ephemerals.get(channelId, messageId);
    return message && this.#withReference(message);
  }

  /** A message by its id alone. */
  find(messageId: string): MessagePayload | undefined {
    const channelId = this.#places.get(messageId);
    return channelId === undefined ? undefined : this.get(channelId, messageId);
  }

  /** Ephemeral messages of a channel, oldest first. */
  ephemeralsOf(channelId: string): MessagePayload[] {
    const limit = this.#parts.knobs.current.messagesKeptPerChannel;
    return this.#ephemerals.list(channelId, { limit }).reverse();
  }

  /**
   * Changes a message.
   * @param interactionId the interaction that this edit responds to, if it is one
   */
  edit(
    message: MessagePayload,
    patch: MessagePatch,
    options: { readonly interactionId?: string } = {},
  ): MessagePayload {
    const { world, clock, keeper } = this.#parts;
    const { allowedMentions, ...fields } = patch;
    const atMs = clock.nowMs();
    const wasLoading = isLoading(message);
    const wasPending = this.isPending(message);
    const pings =
      fields.content === undefined
        ? {}
        : mentionFields(
            { content: fields.content, allowedMentions, ...stillPinged(message) },
            world.user,
          );
    const edited: MessagePayload = {
      ...message,
      ...fields,
      ...pings,
      edited_timestamp: wasLoading ? null : new Date(atMs).toISOString(),
    };
    this.#store(edited).replace(edited);
    const answersTo = options.interactionId ?? this.links.rootOf(edited.id);
    this.#dispatch(edited, editedEvent);
    this.#listeners.emit({ kind: 'edited', message: edited, atMs, answersTo });
    keeper.count('messages_edited');
    const responds = wasPending || options.interactionId !== undefined;
    if (responds && !this.isPending(edited) && edited.author.id === world.bot.id) {
      keeper.answered(answered(edited, { toId: answersTo, atMs }));
    }
    return edited;
  }

  /** Whether a message only says that an answer will come. */
  isPending(message: Pick<MessagePayload, 'content' | 'flags'>): boolean {
    const { pendingText } = this.#parts.knobs.current;
    const says = pendingText !== '' && new RegExp(pendingText).test(message.content);
    return says || isLoading(message);
  }

  /** Puts a changed message in its place without telling anyone, as when a thread is attached to it. */
  attach(message: MessagePayload): void {
    this.#store(message).replace(message);
  }

  remove(message: MessagePayload): void {
    this.#store(message).remove(message.channel_id, message.id);
    this.#dispatch(message, deletedEvent);
    const answersTo = this.links.rootOf(message.id);
    const atMs = this.#parts.clock.nowMs();
    this.#listeners.emit({ kind: 'deleted', message, atMs, answersTo });
    const { world, keeper } = this.#parts;
    keeper.count('messages_deleted');
    if (message.author.id === world.bot.id) keeper.deleted({ messageId: message.id, atMs });
    else keeper.withdrawn({ id: message.id });
  }

  /** Someone types in a channel; the indicator lasts 10 s (docs: Trigger Typing Indicator). */
  typing(channelId: string, userId: string): void {
    const atMs = this.#parts.clock.nowMs();
    const channel = this.#parts.world.channel(channelId);
    if (!channel) return;
    if (this.#parts.world.botRights(channelId).view) {
      this.#parts.dispatcher.dispatch(typingEvent(this.#parts.world, { channel, userId, atMs }));
    }
    this.#listeners.emit({ kind: 'typing', channelId, userId, atMs });
    this.#parts.keeper.count('typing_started');
  }

  #store(message: MessagePayload): MessageStore {
    return isEphemeral(message) ? this.#ephemerals : this.#parts.world.messages;
  }

  #withReference(message: MessagePayload): MessagePayload {
    const reference = message.message_reference;
    if (!reference) return message;
    const stored = this.#parts.world.messages.get(
      String(reference.channel_id),
      String(reference.message_id),
    );
    if (!stored) return { ...message, referenced_message: null };
    const { referenced_message: _, ...referenced } = stored;
    return { ...message, referenced_message: referenced };
  }

  #link(message: MessagePayload, draft: MessageDraft): string | undefined {
    return this.links.link({
      messageId: message.id,
      channelId: message.channel_id,
      isDm: isDm(draft),
      referenceId: draft.replyToId,
      interactionId: draft.interaction?.id,
      nonce: draft.nonce === undefined ? undefined : String(draft.nonce),
    });
  }

  #dispatch(message: MessagePayload, toEvent: typeof createdEvent): number {
    const { world, dispatcher } = this.#parts;
    const channel = world.channel(message.channel_id);
    if (!channel || isEphemeral(message) || !world.botRights(channel.id).view) return 0;
    return dispatcher.dispatch(toEvent(world, { channel, message }));
  }

  /** A thread counts its messages, and a message wakes an archived one. */
  #countInThread(message: MessagePayload): void {
    const thread = this.#parts.world.channel(message.channel_id);
    if (thread?.type !== 11 && thread?.type !== 12) return;
    this.#parts.world.putChannel({
      ...thread,
      last_message_id: message.id,
      message_count: thread.message_count + 1,
      total_message_sent: thread.total_message_sent + 1,
      thread_metadata: { ...thread.thread_metadata, archived: false },
    });
  }
}

const isDm = ({ channel }: MessageDraft) => channel.type === 1;

/** An edited reply goes on pinging the author whom it pinged. */
function stillPinged({ mentions, referenced_message: referenced }: MessagePayload) {
  const author = referenced?.author.id;
  return author !== undefined && mentions.some(({ id }) => id === author)
    ? { repliedTo: author }
    : {};
}

function answered(
  message: MessagePayload,
  { toId, atMs }: { readonly toId: string | undefined; readonly atMs: number },
) {
  const { id: messageId, channel_id: channelId, nonce } = message;
  return {
    ...(toId === undefined ? {} : { toId }),
    messageId,
    channelId,
    atMs,
    ...(nonce === undefined ? {} : { nonce: String(nonce) }),
    ...(message.message_reference === undefined && { inferred: true }),
  };
}
