/**
 * What the bot needs of Discord. The real ones are `ClientGateway`, `ChannelSender` and
 * `InteractionResponder` of `@starling/discord`.
 */
import type { ChannelId, MessageId, UserId } from '@starling/contracts';
import type {
  InteractionHandle,
  MessageEdit,
  NewMessage,
  PostedPart,
  ReferencedMessage,
} from '@starling/discord';

/** Dispatches of the gateway, as they came; nothing in them is trusted yet. */
export interface GatewayEars {
  message(data: unknown): void;
  /** One or several messages were deleted. */
  deleted(data: unknown): void;
  /** Somebody used a button, a menu or a command. */
  interaction(data: unknown): void;
}

/** Messages in. */
export interface DiscordGateway {
  /** Our own account; undefined until Discord has told. */
  readonly self: UserId | undefined;
  /** Calls back for each event until disposed. */
  listen(ears: GatewayEars): Disposable;
  /** Ends the connections so that their sessions can be resumed; nothing comes in afterwards. */
  close(): Promise<void>;
}

/** Messages out. Every method throws `SendError`, and may be repeated: posts by their nonce. */
export interface DiscordSender {
  post(channel: ChannelId, message: NewMessage): Promise<PostedPart>;
  edit(channel: ChannelId, message: MessageEdit): Promise<void>;
  remove(channel: ChannelId, message: MessageId): Promise<void>;
  typing(channel: ChannelId): Promise<void>;
  fetch(channel: ChannelId, message: MessageId): Promise<ReferencedMessage>;
  /** Messages after another one, oldest first. */
  fetchAfter(channel: ChannelId, message: MessageId): Promise<readonly ReferencedMessage[]>;
  /** Takes the next turn for an edit in the channel: milliseconds to wait for it. */
  reserveEdit(channel: ChannelId): number;
  /**
   * The same for a word in the place of an answer, be it a post or an edit; undefined when it would
   * get into the answers' way.
   */
  reserveNote(channel: ChannelId, call: 'post' | 'edit'): number | undefined;
}

/**
 * Answers to interactions. Every method throws `SendError`. One of `acknowledge`, `reply` and
 * `suggestNothing` within three seconds, once; the others after `acknowledge`.
 */
export interface DiscordInteractions {
  /** The press was seen, and the message will change. */
  acknowledge(interaction: InteractionHandle): Promise<void>;
  /** Words to the person who acted, and to nobody else. */
  reply(interaction: InteractionHandle, text: string): Promise<void>;
  /** To somebody who is typing a command: nothing to choose from. */
  suggestNothing(interaction: InteractionHandle): Promise<void>;
  /** As `reply`, after `acknowledge`. */
  followUp(interaction: InteractionHandle, text: string): Promise<void>;
  /** Takes the buttons off the message that was pressed. */
  clearButtons(interaction: InteractionHandle): Promise<void>;
}
