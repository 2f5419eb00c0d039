import type { ChannelId, GuildId, MessageId, UserId } from '@starling/contracts';

/** Who wrote a message. */
export interface Author {
  readonly id: UserId;
  readonly name: string;
  /** Discord marks applications so; webhooks have no account and are marked on the message. */
  readonly isBot: boolean;
}

/** The message that another one replies to, as Discord sends it along (`referenced_message`). */
export interface RepliedMessage {
  readonly id: MessageId;
  readonly author: Author;
  /** Empty when Discord hides it: the message-content intent is off and it does not concern us. */
  readonly content: string;
  /** What that message replied to in turn; its text is not sent along. */
  readonly repliesTo?: MessageId;
}

/** A message as the router sees it: Discord's MESSAGE_CREATE cut down to what decides. */
export interface IncomingMessage {
  readonly id: MessageId;
  readonly channelId: ChannelId;
  /** Absent in a direct message. */
  readonly guildId?: GuildId;
  readonly author: Author;
  /** Ids of the roles that the author has in the guild. */
  readonly roles?: readonly string[];
  readonly isWebhook: boolean;
  /** Joins, pins, boosts, command echoes: written by Discord, not by a person. */
  readonly isSystem: boolean;
  readonly content: string;
  /** Users that are mentioned one by one; `@everyone` and roles are not among them. */
  readonly mentions: readonly UserId[];
  readonly repliedTo?: RepliedMessage;
  /** Files that came with it. */
  readonly attachments: number;
}
