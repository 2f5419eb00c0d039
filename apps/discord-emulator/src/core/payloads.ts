/**
 * Discord's objects with the fields that the emulator serves, all that `discord-api-spec` requires.
 * Flags, types and permissions are Discord's numbers.
 */

export interface UserPayload {
  readonly id: string;
  readonly username: string;
  readonly discriminator: string;
  readonly global_name: string | null;
  readonly avatar: string | null;
  readonly banner: string | null;
  readonly accent_color: number | null;
  readonly avatar_decoration_data: null;
  readonly collectibles: null;
  readonly primary_guild: null;
  readonly public_flags: number;
  readonly flags: number;
  readonly bot?: boolean;
}

export interface RolePayload {
  readonly id: string;
  readonly name: string;
  readonly permissions: string;
  readonly position: number;
  readonly color: number;
  readonly colors: {
    readonly primary_color: number;
    readonly secondary_color: null;
    readonly tertiary_color: null;
  };
  readonly hoist: boolean;
  readonly managed: boolean;
  readonly mentionable: boolean;
  readonly icon: null;
  readonly unicode_emoji: null;
  readonly flags: number;
}

/** A member without its user, as it stands inside MESSAGE_CREATE. */
export interface BareMemberPayload {
  readonly avatar: null;
  readonly banner: null;
  readonly communication_disabled_until: null;
  readonly flags: number;
  readonly joined_at: string;
  readonly nick: string | null;
  readonly pending: boolean;
  readonly premium_since: null;
  readonly roles: readonly string[];
  readonly mute: boolean;
  readonly deaf: boolean;
}

export interface MemberPayload extends BareMemberPayload {
  readonly user: UserPayload;
}

export interface OverwritePayload {
  readonly id: string;
  /** 0 a role, 1 a member. */
  readonly type: 0 | 1;
  readonly allow: string;
  readonly deny: string;
}

interface AnyChannelPayload {
  readonly id: string;
  readonly last_message_id: string | null;
  readonly flags: number;
}

export interface GuildChannelPayload extends AnyChannelPayload {
  /** 0, a text channel. */
  readonly type: 0;
  readonly guild_id: string;
  readonly name: string;
  readonly position: number;
  readonly parent_id: null;
  readonly topic: string | null;
  readonly nsfw: boolean;
  readonly rate_limit_per_user: number;
  readonly permission_overwrites: readonly OverwritePayload[];
}

export interface ThreadPayload extends AnyChannelPayload {
  /** 11 a public thread, 12 a private one. */
  readonly type: 11 | 12;
  readonly guild_id: string;
  readonly parent_id: string;
  readonly name: string;
  readonly owner_id: string;
  readonly rate_limit_per_user: number;
  readonly message_count: number;
  readonly member_count: number;
  readonly total_message_sent: number;
  readonly thread_metadata: {
    readonly archived: boolean;
    readonly auto_archive_duration: number;
    readonly archive_timestamp: string;
    readonly create_timestamp: string;
    readonly locked: boolean;
  };
}

export interface DmChannelPayload extends AnyChannelPayload {
  /** 1, a direct message. */
  readonly type: 1;
  readonly recipients: readonly UserPayload[];
}

export type ChannelPayload = GuildChannelPayload | ThreadPayload | DmChannelPayload;

/** A message as REST serves it; MESSAGE_CREATE adds `guild_id` and `member`. */
export interface MessagePayload {
  readonly id: string;
  readonly channel_id: string;
  readonly author: UserPayload;
  readonly type: number;
  readonly content: string;
  readonly timestamp: string;
  readonly edited_timestamp: string | null;
  readonly flags: number;
  readonly tts: boolean;
  readonly pinned: boolean;
  readonly mention_everyone: boolean;
  readonly mentions: readonly UserPayload[];
  readonly mention_roles: readonly string[];
  readonly attachments: readonly Readonly<Record<string, unknown>>[];
  readonly embeds: readonly Readonly<Record<string, unknown>>[];
  readonly components: readonly Readonly<Record<string, unknown>>[];
  readonly nonce?: string | number;
  readonly application_id?: string;
  readonly webhook_id?: string;
  readonly message_reference?: Readonly<Record<string, unknown>>;
  readonly referenced_message?: MessagePayload | null;
  readonly interaction_metadata?: Readonly<Record<string, unknown>>;
  readonly thread?: ThreadPayload;
}
