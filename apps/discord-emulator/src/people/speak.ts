/** People write, change and delete their messages. */
import { z } from 'zod';
import type { MessagePayload } from '../core/payloads.ts';
import type { Platform } from '../rest/platform.ts';
import type { AnswerBook } from './answer-book.ts';
import { parseInput } from './people-error.ts';
import { placeOf, refuse, seenMessage } from './places.ts';

/** People with Nitro write up to so much; bots only 2000. */
const maxContent = 4000;

const id = z.string().regex(/^\d{17,20}$/, 'not an id: 17 to 20 digits, as a string');
/** Empty stands for a message of only a sticker or a picture. */
const content = z.string().max(maxContent, `more than ${maxContent} characters`);

/** Where and as whom. */
export const placeShape = {
  userId: id.optional(),
  channelId: id.optional(),
  guildId: id.optional(),
  dm: z.boolean().optional(),
};

const sayInput = z.strictObject({
  ...placeShape,
  content: content.default(''),
  /** Puts a mention of the bot in front. */
  mention: z.boolean().default(false),
  /** The message that this one replies to. */
  replyTo: id.optional(),
  /** Whether the reply pings its author; on, as in Discord's own client. */
  ping: z.boolean().default(true),
});
const editInput = z.strictObject({ messageId: id, content });
const deleteInput = z.strictObject({ messageId: id });

/** A message said through the door. */
export interface Said {
  readonly messageId: string;
  readonly channelId: string;
  readonly userId: string;
  /** Gateway sessions that took the event; 0: nobody owned the shard, or the bot does not see it. */
  readonly owners: number;
}

/** Says something; the bot owes an answer when it was mentioned, replied to, or written to directly. */
export function say(platform: Platform, answers: AnswerBook, input: unknown): Said {
  const { world, board, keeper } = platform;
  const form = parseInput(sayInput, input);
  const { user, channel } = placeOf(world, form);
  const replyTo = form.replyTo === undefined ? undefined : repliedMessage(platform, form.replyTo);
  if (replyTo && replyTo.channel_id !== channel.id) {
    throw refuse('replyTo', form.replyTo, 'a message of another channel', 'reply in its channel');
  }
  const pings = { parse: ['users' as const, 'roles' as const], replied_user: form.ping };
  const { message, owners } = board.post({
    channel,
    author: user,
    content: form.mention ? `<@${world.bot.id}> ${form.content}`.trim() : form.content,
    replyTo,
    replyToId: form.replyTo,
    allowedMentions: pings,
  });
  answers.follow({ id: message.id, channelId: channel.id });
  const addressed =
    channel.type === 1 ||
    message.mentions.some(({ id }) => id === world.bot.id) ||
    replyTo?.author.id === world.bot.id;
  if (addressed && world.botRights(channel.id).send) {
    keeper.addressed({
      kind: 'message',
      id: message.id,
      channelId: channel.id,
      ...(channel.type === 1 ? {} : { guildId: channel.guild_id }),
      userId: user.id,
      atMs: platform.clock.nowMs(),
      owners,
    });
  }
  return { messageId: message.id, channelId: channel.id, userId: user.id, owners };
}

/** Changes what a person wrote. */
export function editSaid(platform: Platform, input: unknown): { readonly messageId: string } {
  const form = parseInput(editInput, input);
  const message = ownMessage(platform, form.messageId);
  platform.board.edit(message, { content: form.content });
  return { messageId: message.id };
}

/** Takes back what a person wrote. */
export function deleteSaid(platform: Platform, input: unknown): { readonly messageId: string } {
  const message = ownMessage(platform, parseInput(deleteInput, input).messageId);
  platform.board.remove(message);
  return { messageId: message.id };
}

function repliedMessage(platform: Platform, messageId: string): MessagePayload {
  try {
    return seenMessage(platform, { messageId });
  } catch {
    throw refuse('replyTo', messageId, 'no such message', 'use an id that the door returned');
  }
}

function ownMessage(platform: Platform, messageId: string): MessagePayload {
  const message = seenMessage(platform, { messageId });
  if (!message.author.bot) return message;
  throw refuse('messageId', messageId, 'the bot wrote it', 'people change only what people wrote');
}
