/** A message before it has an id, and how it becomes Discord's object. */
import type { ChannelPayload, MessagePayload, UserPayload } from '../../core/payloads.ts';
import type { ActionRow } from '../forms/component-form.ts';
import type { Embed } from '../forms/embed-form.ts';
import { type AllowedMentionsForm, messageFlags } from '../forms/message-form.ts';
import { mentionsOf } from './mentions.ts';

/** The interaction that a message responds to. */
export interface InteractionOrigin {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly token: string;
}

/** A message to be posted. */
export interface MessageDraft {
  readonly channel: ChannelPayload;
  readonly author: UserPayload;
  readonly content: string;
  readonly embeds?: readonly Embed[];
  readonly components?: readonly ActionRow[];
  readonly attachments?: readonly Readonly<Record<string, unknown>>[];
  readonly flags?: number;
  readonly tts?: boolean;
  readonly nonce?: string | number | undefined;
  readonly allowedMentions?: AllowedMentionsForm | null | undefined;
  /** The message that this one replies to. */
  readonly replyTo?: MessagePayload | undefined;
  /** The id that the reply named, also when that message is gone: it still tells what is answered. */
  readonly replyToId?: string | undefined;
  readonly interaction?: InteractionOrigin | undefined;
}

/** Message types (docs: Message, "Message Types"). */
const messageTypes = { plain: 0, reply: 19, command: 20 } as const;

/** Pings of a content as message fields. Users that do not exist are left out, as Discord does. */
export function mentionFields(
  draft: Pick<MessageDraft, 'content' | 'allowedMentions'> & { readonly repliedTo?: string },
  userOf: (id: string) => UserPayload | undefined,
): Pick<MessagePayload, 'mentions' | 'mention_roles' | 'mention_everyone'> {
  const { content, allowedMentions: allowed, repliedTo } = draft;
  const mentions = mentionsOf({ content, allowed, repliedTo });
  return {
    mentions: mentions.userIds.flatMap((id) => userOf(id) ?? []),
    mention_roles: mentions.roleIds,
    mention_everyone: mentions.everyone,
  };
}

/** The object that is stored. */
export function messageOf(
  draft: MessageDraft,
  given: {
    readonly id: string;
    readonly atMs: number;
    readonly userOf: (id: string) => UserPayload | undefined;
    readonly applicationId: string;
  },
): MessagePayload {
  const { channel, replyTo, interaction } = draft;
  const type = interaction
    ? messageTypes.command
    : replyTo
      ? messageTypes.reply
      : messageTypes.plain;
  const repliedTo = replyTo?.author.id;
  return {
    id: given.id,
    channel_id: channel.id,
    author: draft.author,
    type,
    content: draft.content,
    timestamp: new Date(given.atMs).toISOString(),
    edited_timestamp: null,
    flags: draft.flags ?? 0,
    tts: draft.tts ?? false,
    pinned: false,
    ...mentionFields({ ...draft, ...(repliedTo ? { repliedTo } : {}) }, given.userOf),
    attachments: draft.attachments ?? [],
    embeds: draft.embeds ?? [],
    components: (draft.components ?? []).map((row) => ({ ...row })),
    ...(draft.nonce === undefined ? {} : { nonce: draft.nonce }),
    ...(interaction
      ? {
          application_id: given.applicationId,
          webhook_id: given.applicationId,
          interaction_metadata: interaction.metadata,
        }
      : {}),
    ...(replyTo ? referenceTo(replyTo, channel) : {}),
  };
}

function referenceTo(
  replyTo: MessagePayload,
  channel: ChannelPayload,
): Pick<MessagePayload, 'message_reference' | 'referenced_message'> {
  const { referenced_message: _, ...referenced } = replyTo;
  return {
    message_reference: {
      type: 0,
      message_id: replyTo.id,
      channel_id: replyTo.channel_id,
      ...(channel.type === 1 ? {} : { guild_id: channel.guild_id }),
    },
    referenced_message: referenced,
  };
}

/** Whether only one user sees the message. */
export function isEphemeral(message: Pick<MessagePayload, 'flags'>): boolean {
  return (message.flags & messageFlags.ephemeral) !== 0;
}

/** Whether the message is the "is thinking…" of a deferred response. */
export function isLoading(message: Pick<MessagePayload, 'flags'>): boolean {
  return (message.flags & messageFlags.loading) !== 0;
}

/** Whether the message shows anything. */
export function isEmpty(
  message: Pick<MessagePayload, 'content' | 'embeds' | 'attachments' | 'components'>,
): boolean {
  const { content, embeds, attachments, components } = message;
  return content === '' && embeds.length + attachments.length + components.length === 0;
}

/** Who may see an ephemeral message. */
export function visibleTo(message: MessagePayload, userId: string): boolean {
  if (!isEphemeral(message)) return true;
  const user = message.interaction_metadata?.user as UserPayload | undefined;
  return user?.id === userId;
}
