/**
 * INTERACTION_CREATE as it comes off the gateway, cut down to what the bot reads: enough to answer any
 * of them, and to understand the press of a button
 * (discord.com/developers/docs/interactions/receiving-and-responding#interaction-object).
 */
import { type UserId, userId } from '@starling/contracts';
import { InteractionType, PermissionFlagsBits } from 'discord-api-types/v10';

/** Where an interaction is answered. Its token is a secret: it lets anyone speak in our name. */
export interface InteractionHandle {
  readonly id: string;
  readonly applicationId: string;
  readonly token: string;
}

/** A person used a button, a menu or a command. */
export interface InteractionCreate extends InteractionHandle {
  readonly userId: UserId;
  /** They may delete other people's messages where they are. */
  readonly managesMessages: boolean;
  readonly use:
    | { readonly kind: 'press'; readonly customId: string }
    /** Asks for what could be typed; it cannot be answered with words. */
    | { readonly kind: 'autocomplete' }
    | { readonly kind: 'other' };
}

type Json = Readonly<Record<string, unknown>>;

const snowflake = /^\d{17,20}$/;
/** What Discord sends has some 200 characters. */
const token = /^[\w.-]{1,512}$/;
const managing = PermissionFlagsBits.ManageMessages | PermissionFlagsBits.Administrator;

/** The interaction in a dispatch's data, or undefined when it is none that could be answered. */
export function decodeInteraction(data: unknown): InteractionCreate | undefined {
  if (!isRecord(data)) return undefined;
  const { application_id: applicationId, id, member, token: secret, user } = data;
  const who = isRecord(member) ? member.user : user;
  const by = isRecord(who) ? userId.safeParse(who.id) : undefined;
  const answerable = matches(snowflake, id) && matches(snowflake, applicationId);
  if (!answerable || !matches(token, secret) || !by?.success) return undefined;
  return {
    ...{ id, applicationId, token: secret },
    userId: by.data,
    managesMessages: isRecord(member) && mayManage(member.permissions),
    use: useOf(data),
  };
}

function useOf({ data, type }: Json): InteractionCreate['use'] {
  if (type === InteractionType.ApplicationCommandAutocomplete) return { kind: 'autocomplete' };
  const customId = isRecord(data) ? data.custom_id : undefined;
  return type === InteractionType.MessageComponent && typeof customId === 'string'
    ? { kind: 'press', customId }
    : { kind: 'other' };
}

function mayManage(permissions: unknown): boolean {
  return matches(/^\d{1,20}$/, permissions) && (BigInt(permissions) & managing) !== 0n;
}

function matches(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
