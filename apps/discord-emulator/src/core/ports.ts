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
  | 'acknowledged_twice'
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
  /**
   * The bot called an interaction's callback, whatever it was answered: a second call for one
   * interaction is refused, one after the 3 s is too late. A deferral acknowledges without
   * answering; a reply does both, so call {@link answered} as well.
   */
  acknowledged(event: { readonly interactionId: string; readonly atMs: number }): void;
  /** The person took the message back: nothing is owed to it any more. */
  withdrawn(event: { readonly id: string }): void;
  /** The bot deleted a message of its own: what only that one answered is owed again. */
  deleted(event: { readonly messageId: string; readonly atMs: number }): void;
  /** Something worth a number happened. */
  count(name: CountName): void;
  /** The gateway put an interaction on a live session's wire, at once or by replay. */
  delivered(event: { readonly interactionId: string; readonly atMs: number }): void;
  /** The bot tried to edit a message; call it also for an edit refused with 429. */
  edited(event: {
    readonly messageId: string;
    readonly channelId: string;
    readonly atMs: number;
  }): void;
}

/** What the record counts beside its judgements. */
export type CountName =
  | 'connections'
  | 'identifies'
  | 'resumes'
  | 'resumes_elsewhere'
  | 'replayed_events'
  | 'invalid_sessions'
  | 'heartbeats'
  | 'dispatches'
  | 'unowned_dispatches'
  | 'sessions_ended'
  | 'bad_frames'
  | 'rest_requests'
  | 'rest_429'
  | 'faults_hit'
  | 'messages_created'
  | 'messages_edited'
  | 'messages_deleted'
  | 'typing_started';

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
  /**
   * What it answers: the referenced message's id, or the interaction's id. Absent for a bot message
   * without a reference; the record then decides whether it continues or answers something.
   */
  readonly toId?: string;
  /** `toId` was worked out from a nonce, a thread or a direct message, and not named by a reference. */
  readonly inferred?: boolean;
  /** The message that the bot created. Report it once, not again when `enforce_nonce` found it. */
  readonly messageId: string;
  readonly channelId: string;
  readonly atMs: number;
  /** Parts after the first are continuations, not second answers. */
  readonly nonce?: string;
}

/**
 * What a REST request is refused, delayed or cheated with. A refusal that a fault brought about is
 * the emulator's doing: it is no `invalid_request` of the bot.
 */
export type RestFault =
  | {
      readonly kind: 'rate_limited';
      readonly scope: 'user' | 'global' | 'shared';
      readonly retryAfterMs: number;
    }
  /** `after`: the request is carried out (the message is created), then the error is sent. */
  | {
      readonly kind: 'server_error';
      readonly status: 500 | 502 | 503 | 504;
      readonly when: 'before' | 'after';
    }
  /** The connection is reset, before or after the request was carried out. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** Carried out as usual, the response held back. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** An HTML page from the edge, with the request not carried out. */
  | { readonly kind: 'html'; readonly status: 403 | 429 | 502 | 520 };

/** Where a REST request goes, for a fault's filter. */
export interface RestRoute {
  readonly method: string;
  /** The path after `/api/v10`, with ids, for example `/channels/123/messages`. */
  readonly path: string;
}

/** Faults of the REST API, as scheduled; ask once a request, before anything else of it. */
export interface RestFaults {
  /** Spends one of the fault's times. Undefined: serve as usual. */
  nextRestFault(route: RestRoute): RestFault | undefined;
}

/** What the REST API asks of the gateway. */
export interface GatewayInfo {
  /**
   * True once the bot has used up its session starts: Discord resets the token then, so that every
   * request is a 401 (docs: gateway#session-start-limit-object).
   */
  botTokenRevoked(): boolean;
  /** What `GET /gateway/bot` serves. */
  gatewayBot(): {
    readonly url: string;
    readonly shards: number;
    readonly session_start_limit: {
      readonly total: number;
      readonly remaining: number;
      /** Milliseconds. */
      readonly reset_after: number;
      readonly max_concurrency: number;
    };
  };
}

/** Gateway intent bits, any one of which admits an event (docs: gateway#list-of-intents). */
export const intentBits = {
  GUILDS: 1 << 0,
  GUILD_MEMBERS: 1 << 1,
  GUILD_PRESENCES: 1 << 8,
  GUILD_MESSAGES: 1 << 9,
  GUILD_MESSAGE_TYPING: 1 << 11,
  DIRECT_MESSAGES: 1 << 12,
  DIRECT_MESSAGE_TYPING: 1 << 14,
  MESSAGE_CONTENT: 1 << 15,
} as const;
