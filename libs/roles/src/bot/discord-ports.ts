/** What the bot needs of Discord. The real ones are `ClientGateway` and `ChannelSender` of `@starling/discord`. */
import type { ChannelId, MessageId, UserId } from '@starling/contracts';
import type { NewMessage, PostedPart, ReferencedMessage } from '@starling/discord';

/** Dispatches of the gateway, as they came; nothing in them is trusted yet. */
export interface GatewayEars {
  message(data: unknown): void;
  /** One or several messages were deleted. */
  deleted(data: unknown): void;
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
  edit(channel: ChannelId, part: PostedPart): Promise<void>;
  remove(channel: ChannelId, message: MessageId): Promise<void>;
  typing(channel: ChannelId): Promise<void>;
  fetch(channel: ChannelId, message: MessageId): Promise<ReferencedMessage>;
  /** Messages after another one, oldest first. */
  fetchAfter(channel: ChannelId, message: MessageId): Promise<readonly ReferencedMessage[]>;
  /** Takes the next turn for an edit in the channel: milliseconds to wait for it. */
  reserveEdit(channel: ChannelId): number;
}
