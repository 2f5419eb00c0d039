/** INTERACTION_CREATE (docs: Receiving and Responding, "Interaction Object"). */
import type { ChannelPayload, MessagePayload, UserPayload } from '../../core/payloads.ts';
import { everyonePermissions, ownerPermissions } from '../../core/permissions.ts';
import type { World } from '../../core/world.ts';

/** Interaction types that people can cause. */
export const interactionTypes = { command: 2, component: 3 } as const;
export type InteractionType = (typeof interactionTypes)[keyof typeof interactionTypes];

/** What a person did. */
export interface InteractionCause {
  readonly type: InteractionType;
  readonly user: UserPayload;
  readonly channel: ChannelPayload;
  /** The `data` of the interaction: the command with its options, or the component. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The message whose component was used. */
  readonly message?: MessagePayload | undefined;
}

/** Who installed the application where the interaction came from: the guild, or the person in a DM. */
function installedBy(guildId: string | undefined): Record<string, string> {
  return { 0: guildId ?? '0' };
}

/** The payload `d` of INTERACTION_CREATE. */
export function interactionPayload(
  world: World,
  given: InteractionCause & { readonly id: string; readonly token: string },
): Readonly<Record<string, unknown>> {
  const { channel, user, message } = given;
  const guildId = channel.type === 1 ? undefined : channel.guild_id;
  const guild = guildId === undefined ? undefined : world.guild(guildId);
  const member = guild?.member(user.id);
  const permissions = guild?.ownerId === user.id ? ownerPermissions : everyonePermissions;
  return {
    id: given.id,
    application_id: world.application.id,
    type: given.type,
    data: given.data,
    token: given.token,
    version: 1,
    channel_id: channel.id,
    channel: { ...channel, permissions: everyonePermissions.toString() },
    app_permissions: everyonePermissions.toString(),
    locale: 'en-US',
    entitlements: [],
    authorizing_integration_owners: installedBy(guildId),
    attachment_size_limit: 10 * 1024 * 1024,
    context: guildId === undefined ? 1 : 0,
    ...(guildId === undefined
      ? { user }
      : {
          guild_id: guildId,
          guild: { id: guildId, locale: 'en-US', features: [] },
          guild_locale: 'en-US',
          member: { ...member, permissions: permissions.toString() },
        }),
    ...(message ? { message } : {}),
  };
}

/** `interaction_metadata` of a message that responds to the interaction. */
export function interactionMetadata(
  given: InteractionCause & { readonly id: string },
): Readonly<Record<string, unknown>> {
  const guildId = given.channel.type === 1 ? undefined : given.channel.guild_id;
  return {
    id: given.id,
    type: given.type,
    user: given.user,
    authorizing_integration_owners: installedBy(guildId),
    ...(given.message ? { interacted_message_id: given.message.id } : {}),
  };
}
