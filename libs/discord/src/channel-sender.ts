/**
 * Messages out: the four calls that an answer is made of, over discord.js' REST client, so that its
 * route buckets and its global limit hold. Every call may be repeated: a post by its enforced nonce,
 * the others by their nature.
 */
import type { InternalRequest, REST, ResponseLike } from '@discordjs/rest';
import { RequestMethod } from '@discordjs/rest';
import type { ChannelId, MessageId } from '@starling/contracts';
import { Routes } from 'discord-api-types/v10';
import type { PostedPart } from './answer-message.ts';
import type { EditPace } from './edit-pace.ts';
import { type ReferencedMessage, referencedOf } from './message-create.ts';
import { SendError, sendErrorFrom } from './send-error.ts';
import { type StopTarget, stopComponents } from './stop-button.ts';

/** A message to create. */
export interface NewMessage {
  readonly content: string;
  /** See `partNonce`. */
  readonly nonce: string;
  /** Shown as a reply to this message; as a plain message when it is gone. */
  readonly replyTo?: MessageId;
  /** With the button that stops this. */
  readonly stop?: StopTarget;
}

/** What an existing message shall show. */
export interface MessageEdit {
  readonly messageId: MessageId;
  readonly content: string;
  /** With the button that stops this; without, there is none any more. */
  readonly stop?: StopTarget;
}

/**
 * Nothing that a model writes may ping anyone; only the author of the message that is answered is
 * notified (discord.com/developers/docs/resources/message#allowed-mentions-object).
 */
const allowedMentions = { parse: [], replied_user: true } as const;

/** Messages looked through for an answer of an earlier process. */
const lookBackLimit = 50;

/** Sends to Discord's channels. Every method throws {@link SendError} and nothing else. */
export class ChannelSender {
  readonly #rest: Pick<REST, 'queueRequest'>;
  readonly #pace: EditPace;
  readonly #onUnauthorised: (error: SendError) => void;

  /**
   * @param parts.onUnauthorised Discord no longer takes the bot token. From then on discord.js' REST
   *   client has none, so that no call of it can ever succeed (facts §0.7)
   */
  constructor(parts: {
    readonly rest: Pick<REST, 'queueRequest'>;
    readonly pace: EditPace;
    readonly onUnauthorised: (error: SendError) => void;
  }) {
    this.#rest = parts.rest;
    this.#pace = parts.pace;
    this.#onUnauthorised = parts.onUnauthorised;
  }

  /**
   * Creates a message. When its nonce was used a short while ago Discord creates nothing and returns
   * the earlier message, whose content is then what stands there.
   */
  async post(channel: ChannelId, message: NewMessage): Promise<PostedPart> {
    const response = await this.#call({
      method: RequestMethod.Post,
      fullRoute: Routes.channelMessages(channel),
      body: {
        content: message.content,
        nonce: message.nonce,
        enforce_nonce: true,
        allowed_mentions: allowedMentions,
        ...(message.stop && { components: stopComponents(message.stop) }),
        ...(message.replyTo && {
          message_reference: { message_id: message.replyTo, fail_if_not_exists: false },
        }),
      },
    });
    const created = referencedOf(await json(response));
    if (!created) throw new SendError('unavailable', 'Discord sent no message back');
    // Discord trims what it shows; that is no difference worth an edit.
    const same = created.content.trim() === message.content.trim();
    return {
      messageId: created.id,
      content: same ? message.content : created.content,
      stoppable: created.hasControls,
    };
  }

  /** Replaces what a message shows, and tells the channel's pace what Discord said about its limit. */
  async edit(channel: ChannelId, { content, messageId, stop }: MessageEdit): Promise<void> {
    const response = await this.#call({
      method: RequestMethod.Patch,
      fullRoute: Routes.channelMessage(channel, messageId),
      body: { content, components: stopComponents(stop), allowed_mentions: allowedMentions },
    });
    const remaining = Number(response.headers.get('x-ratelimit-remaining') ?? Number.NaN);
    const resetAfterMs =
      Number(response.headers.get('x-ratelimit-reset-after') ?? Number.NaN) * 1000;
    if (remaining >= 0 && resetAfterMs >= 0) this.#pace.learn(channel, { remaining, resetAfterMs });
    await response.arrayBuffer();
  }

  async remove(channel: ChannelId, message: MessageId): Promise<void> {
    const response = await this.#call({
      method: RequestMethod.Delete,
      fullRoute: Routes.channelMessage(channel, message),
    });
    await response.arrayBuffer();
  }

  /** Shows "is typing" for ten seconds, or until a message arrives. */
  async typing(channel: ChannelId): Promise<void> {
    const response = await this.#call({
      method: RequestMethod.Post,
      fullRoute: Routes.channelTyping(channel),
    });
    await response.arrayBuffer();
  }

  /** One message. */
  async fetch(channel: ChannelId, message: MessageId): Promise<ReferencedMessage> {
    const response = await this.#call({
      method: RequestMethod.Get,
      fullRoute: Routes.channelMessage(channel, message),
    });
    const fetched = referencedOf(await json(response));
    if (!fetched) throw new SendError('unavailable', 'Discord sent no message back');
    return fetched;
  }

  /** The messages after another one, oldest first. */
  async fetchAfter(channel: ChannelId, message: MessageId): Promise<readonly ReferencedMessage[]> {
    const response = await this.#call({
      method: RequestMethod.Get,
      fullRoute: Routes.channelMessages(channel),
      query: new URLSearchParams({ after: message, limit: String(lookBackLimit) }),
    });
    const list = await json(response);
    if (!Array.isArray(list)) throw new SendError('unavailable', 'Discord sent no list back');
    return list
      .flatMap((data) => referencedOf(data) ?? [])
      .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  }

  /** Takes the channel's next turn for an edit: milliseconds to wait for it. */
  reserveEdit(channel: ChannelId): number {
    return this.#pace.reserve(channel);
  }

  /** Takes a turn for a word in the place of an answer; see {@link EditPace.reserveNote}. */
  reserveNote(channel: ChannelId, call: 'post' | 'edit'): number | undefined {
    return this.#pace.reserveNote(channel, call);
  }

  async #call(request: InternalRequest): Promise<ResponseLike> {
    try {
      return await this.#rest.queueRequest(request);
    } catch (cause) {
      const error = sendErrorFrom(cause);
      if (error.fault === 'unauthorised') this.#onUnauthorised(error);
      throw error;
    }
  }
}

async function json(response: ResponseLike): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new SendError('unavailable', 'Discord sent something that is not JSON', { cause });
  }
}
