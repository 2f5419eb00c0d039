/** A message as a person sees it. */
import type { MessagePayload } from '../core/payloads.ts';
import { isEphemeral, isLoading } from '../rest/messages/message-draft.ts';

export interface MessageView {
  readonly id: string;
  readonly channelId: string;
  readonly authorId: string;
  readonly authorName: string;
  readonly bot: boolean;
  readonly content: string;
  readonly at: string;
  readonly editedAt: string | null;
  readonly replyTo: string | null;
  /** Only the person who used the command sees it. */
  readonly ephemeral: boolean;
  /** "… is thinking": a deferred response that has not come yet. */
  readonly loading: boolean;
  readonly mentions: readonly string[];
  readonly embeds: MessagePayload['embeds'];
  readonly components: MessagePayload['components'];
  readonly attachments: MessagePayload['attachments'];
}

export function viewOf(message: MessagePayload): MessageView {
  const { author, message_reference: reference } = message;
  return {
    id: message.id,
    channelId: message.channel_id,
    authorId: author.id,
    authorName: author.global_name ?? author.username,
    bot: author.bot === true,
    content: message.content,
    at: message.timestamp,
    editedAt: message.edited_timestamp,
    replyTo: reference ? String(reference.message_id) : null,
    ephemeral: isEphemeral(message),
    loading: isLoading(message),
    mentions: message.mentions.map(({ id }) => id),
    embeds: message.embeds,
    components: message.components,
    attachments: message.attachments,
  };
}
