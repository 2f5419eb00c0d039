/** What the gateway, the REST API and the people's door need of each other. */

/** A gateway event on its way to the bot's sessions. */
export interface Dispatch {
  /** Discord's event name, for example `MESSAGE_CREATE`. */
  readonly name: string;
  /** Decides the shard; absent in direct messages, which go to shard 0 only. */
  readonly guildId?: string;
  /** Intent bits, any one of which admits the event; 0 admits it always. */
  readonly intents: number;
  /** The payload `d` as a session with every intent would see it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The gateway, as the REST API and the door see it. */
export interface Dispatcher {
  /**
   * Hands the event to every session whose shard owns it, also to those that are away but may still
   * resume (their replay buffers), and applies the message-content rules session by session.
   * @returns how many sessions took it; 0 means that nobody owned it
   */
  dispatch(event: Dispatch): number;
}

/** Rules that the record judges by. Each has a planted bad bot in the tests that it must convict. */
export type RuleName =
  | 'unanswered'
  | 'answered_twice'
  | 'interaction_expired'
  | 'identify_too_early'
  | 'two_sessions_for_a_shard'
  | 'closed_with_1000'
  | 'too_many_sends'
  | 'invalid_request'
  | 'edits_over_limit';

/** Something the bot did wrong, as the emulator saw it. */
export interface Violation {
  readonly rule: RuleName;
  /** Wall-clock milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Where the parts report what happened; the judging is the record's own. */
export interface RecordKeeper {
  violation(violation: Violation): void;
  /** A person addressed the bot: an answer is owed to this message or interaction. */
  addressed(event: AddressedEvent): void;
  /** The bot posted a message or an interaction response that answers something. */
  answered(event: AnsweredEvent): void;
  /** The bot edited a message. */
  edited(event: {
    readonly messageId: string;
    readonly channelId: string;
    readonly atMs: number;
    readonly contentLength: number;
  }): void;
}

export interface AddressedEvent {
  readonly kind: 'message' | 'interaction';
  /** Message id, or interaction id. */
  readonly id: string;
  readonly channelId: string;
  readonly guildId?: string;
  readonly userId: string;
  readonly atMs: number;
  /** Sessions that took the event. */
  readonly owners: number;
}

export interface AnsweredEvent {
  /** What it answers: the referenced message's id, or the interaction's id. */
  readonly toId: string;
  /** The message that the bot created. */
  readonly messageId: string;
  readonly channelId: string;
  readonly atMs: number;
  /** Parts after the first are continuations, not second answers. */
  readonly nonce?: string;
}
