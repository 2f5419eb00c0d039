/** Messages and typing (docs: Message). */
import { z } from 'zod';
import type { ChannelPayload, MessagePayload } from '../../core/payloads.ts';
import { isSnowflake } from '../../core/snowflake.ts';
import { ApiError, invalidForm } from '../api-error.ts';
import {
  type MessageCreateForm,
  messageCreateForm,
  messageEditForm,
  sendFlags,
} from '../forms/message-form.ts';
import { parseForm } from '../forms/parse-form.ts';
import { changedContent, newContent } from '../messages/message-content.ts';
import { isEphemeral } from '../messages/message-draft.ts';
import { NonceBook } from '../messages/nonce-book.ts';
import type { Platform } from '../platform.ts';
import type { Route, RouteCall } from '../router.ts';
import { visibleChannel, writableChannel } from './channel-access.ts';

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  before: z.string().regex(/^\d+$/).optional(),
  after: z.string().regex(/^\d+$/).optional(),
  around: z.string().regex(/^\d+$/).optional(),
});

/** Routes below `/channels/:channelId/messages`, and typing. */
export function messageRoutes(platform: Platform): Route[] {
  const { board, world, clock, knobs } = platform;
  const nonces = new NonceBook(clock, () => knobs.current.nonceWindowMs);
  const base = '/channels/:channelId/messages';

  return [
    {
      method: 'GET',
      template: base,
      auth: 'bot',
      family: 'otherRoutes',
      handle({ params, query }) {
        const channel = visibleChannel(world, params.channelId);
        const { limit, before, after, around } = parseForm(listQuery, Object.fromEntries(query));
        const messages = world.messages.list(channel.id, {
          limit,
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
          ...(around === undefined ? {} : { around }),
        });
        return { status: 200, body: messages.map(({ id }) => board.get(channel.id, id)) };
      },
    },
    {
      method: 'GET',
      template: `${base}/:messageId`,
      auth: 'bot',
      family: 'otherRoutes',
      handle: ({ params }) => ({
        status: 200,
        body: messageIn(platform, visibleChannel(world, params.channelId), params.messageId),
      }),
    },
    {
      method: 'POST',
      template: base,
      auth: 'bot',
      family: 'messagesPerChannel',
      handle: (call) => ({ status: 200, body: create(platform, nonces, call) }),
    },
    {
      method: 'PATCH',
      template: `${base}/:messageId`,
      auth: 'bot',
      family: 'editsPerChannel',
      handle({ params, body }) {
        const channel = visibleChannel(world, params.channelId);
        const message = messageIn(platform, channel, params.messageId);
        if (message.author.id !== world.bot.id) throw new ApiError(50005);
        const form = parseForm(messageEditForm, body.json);
        const { attachments } = platform;
        const patch = changedContent(message, form, { files: body.files, attachments });
        const edited = board.edit(message, patch);
        respondByChange(platform, edited);
        return { status: 200, body: edited };
      },
    },
    {
      method: 'DELETE',
      template: `${base}/:messageId`,
      auth: 'bot',
      family: 'deletesPerChannel',
      handle({ params }) {
        const channel = visibleChannel(world, params.channelId);
        const message = messageIn(platform, channel, params.messageId);
        // In a direct message nobody deletes for the other; in guilds the bot's role manages messages.
        if (channel.type === 1 && message.author.id !== world.bot.id) throw new ApiError(50003);
        board.remove(message);
        respondByChange(platform, message);
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      template: '/channels/:channelId/typing',
      auth: 'bot',
      family: 'otherRoutes',
      handle({ params }) {
        const channel = writableChannel(world, params.channelId);
        board.typing(channel.id, world.bot.id);
        return { status: 204 };
      },
    },
  ];
}

/** A press that was acknowledged by a deferred update is answered by the change of its message. */
function respondByChange(platform: Platform, message: MessagePayload): void {
  const { clock, interactions, keeper } = platform;
  for (const toId of interactions.keepPromises(message.id)) {
    const { channel_id: channelId, id: messageId } = message;
    keeper.answered({ toId, messageId, channelId, atMs: clock.nowMs() });
  }
}

function messageIn(
  platform: Platform,
  channel: ChannelPayload,
  messageId: string | undefined,
): MessagePayload {
  const message = platform.board.get(channel.id, messageId ?? '');
  if (!message || isEphemeral(message)) throw new ApiError(10008);
  return message;
}

function create(
  platform: Platform,
  nonces: NonceBook,
  { params, body }: RouteCall,
): MessagePayload {
  const { world, board, attachments } = platform;
  const channel = writableChannel(world, params.channelId);
  const form = parseForm(messageCreateForm, body.json);
  const earlier = form.enforce_nonce && form.nonce != null ? nonces.find(form.nonce) : undefined;
  if (earlier) return board.get(earlier.channel_id, earlier.id) ?? earlier;
  const content = newContent(form, { files: body.files, attachments, allowedFlags: sendFlags });
  const replyTo = referenced(platform, { form, channel });
  const { message } = board.post({
    ...content,
    channel,
    author: world.bot,
    replyTo,
    replyToId: form.message_reference?.message_id,
  });
  if (form.nonce != null) nonces.add(form.nonce, message);
  return message;
}

/**
 * The message that a new one replies to.
 * @returns undefined when there is none, or it is gone and `fail_if_not_exists` is false
 */
function referenced(
  platform: Platform,
  { form, channel }: { readonly form: MessageCreateForm; readonly channel: ChannelPayload },
): MessagePayload | undefined {
  const reference = form.message_reference;
  if (!reference) return undefined;
  const elsewhere = reference.channel_id != null && reference.channel_id !== channel.id;
  const message =
    elsewhere || !isSnowflake(reference.message_id)
      ? undefined
      : platform.world.messages.get(channel.id, reference.message_id);
  if (message || reference.fail_if_not_exists === false) return message;
  throw invalidForm({
    field: 'message_reference',
    code: 'REPLIES_UNKNOWN_MESSAGE',
    message: 'Unknown message',
  });
}
