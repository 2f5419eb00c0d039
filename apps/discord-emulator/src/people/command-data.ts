/** The `data` of a command's interaction (docs: "Application Command Data Structure"). */
import type { ChannelPayload } from '../core/payloads.ts';
import type { World } from '../core/world.ts';
import type { Command } from '../rest/commands/command-book.ts';
import { type CommandOption, commandTypes } from '../rest/commands/command-form.ts';
import type { Platform } from '../rest/platform.ts';
import { refuse, seenMessage } from './places.ts';

/** What a person typed. */
export interface CommandUse {
  readonly name: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly targetMessageId?: string | undefined;
  readonly targetUserId?: string | undefined;
}

interface Use {
  readonly command: Command;
  readonly form: CommandUse;
  readonly channel: ChannelPayload;
}

/** Option types (docs: "Application Command Option Type"). */
const optionTypes = {
  subcommand: 1,
  group: 2,
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
} as const;

/** @throws PeopleError for options and targets that the command does not take */
export function commandData(
  platform: Platform,
  { command, form, channel }: Use,
): Readonly<Record<string, unknown>> {
  const base = {
    id: command.id,
    name: command.name,
    type: command.type,
    ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
  };
  switch (command.type) {
    case commandTypes.message: {
      const messageId = form.targetMessageId ?? '';
      const message = seenMessage(platform, { messageId });
      return { ...base, target_id: messageId, resolved: { messages: { [messageId]: message } } };
    }
    case commandTypes.user: {
      const userId = form.targetUserId ?? '';
      const resolved = resolvedUser(platform.world, { userId, channel });
      if (!resolved) throw refuse('targetUserId', userId, 'no such person', 'name a member');
      return { ...base, target_id: userId, resolved };
    }
    default: {
      const [, ...path] = form.name.split(' ');
      const { options, resolved } = chosen(
        platform.world,
        { path, form, channel },
        command.options,
      );
      return { ...base, options, ...(Object.keys(resolved).length > 0 ? { resolved } : {}) };
    }
  }
}

interface Chosen {
  readonly options: readonly object[];
  readonly resolved: Readonly<Record<string, unknown>>;
}

function chosen(
  world: World,
  use: {
    readonly path: readonly string[];
    readonly form: CommandUse;
    readonly channel: ChannelPayload;
  },
  options: readonly CommandOption[] | null | undefined,
): Chosen {
  const declared = options ?? [];
  const below = declared.filter(({ type }) => type <= optionTypes.group);
  if (below.length > 0) {
    const [name, ...path] = use.path;
    const option = below.find((one) => one.name === name);
    if (!option) {
      const names = below.map((one) => one.name).join(', ');
      throw refuse('name', use.form.name, 'the command needs a subcommand', `one of: ${names}`);
    }
    const inner = chosen(world, { ...use, path }, option.options);
    const { type } = option;
    return { options: [{ name, type, options: inner.options }], resolved: inner.resolved };
  }
  return values(world, use, declared);
}

function values(
  world: World,
  use: { readonly form: CommandUse; readonly channel: ChannelPayload },
  declared: readonly CommandOption[],
): Chosen {
  for (const name of Object.keys(use.form.options)) {
    if (declared.some((option) => option.name === name)) continue;
    const names = declared.map((option) => option.name).join(', ') || 'none';
    throw refuse(`options.${name}`, use.form.options[name], 'no such option', `it has: ${names}`);
  }
  const resolved: Record<string, unknown> = {};
  const options = declared.flatMap((option) => {
    const value = use.form.options[option.name];
    if (value === undefined) {
      if (!option.required) return [];
      throw refuse(`options.${option.name}`, null, 'required', 'give the option a value');
    }
    checkValue(option, value);
    if (option.type === optionTypes.user || option.type === optionTypes.mentionable) {
      const user = resolvedUser(world, { userId: String(value), channel: use.channel });
      if (!user) throw refuse(`options.${option.name}`, value, 'no such person', 'name a member');
      Object.assign(resolved, user);
    }
    return [{ name: option.name, type: option.type, value }];
  });
  return { options, resolved };
}

function checkValue(option: CommandOption, value: string | number | boolean): void {
  const field = `options.${option.name}`;
  const wanted = wantedType(option.type);
  if (
    typeof value !== wanted ||
    (option.type === optionTypes.integer && !Number.isInteger(value))
  ) {
    throw refuse(field, value, 'of the wrong type', `send a ${wanted}`);
  }
  const choices = option.choices?.map((choice) => choice.value) ?? [];
  if (choices.length > 0 && !choices.some((choice) => choice === value)) {
    throw refuse(field, value, 'not one of its choices', `one of: ${choices.join(', ')}`);
  }
  // Discord's client holds a string option to 6000 characters.
  const size = typeof value === 'string' ? value.length : Number(value);
  const [min, max] =
    typeof value === 'string'
      ? [option.min_length ?? 0, option.max_length ?? 6000]
      : [option.min_value ?? -Infinity, option.max_value ?? Infinity];
  if (size < min || size > max) {
    throw refuse(field, size, 'outside its bounds', `from ${min} to ${max}`);
  }
}

function wantedType(type: number): 'string' | 'number' | 'boolean' {
  if (type === optionTypes.integer || type === optionTypes.number) return 'number';
  return type === optionTypes.boolean ? 'boolean' : 'string';
}

function resolvedUser(
  world: World,
  { userId, channel }: { readonly userId: string; readonly channel: ChannelPayload },
): Readonly<Record<string, unknown>> | undefined {
  const user = world.user(userId);
  if (!user) return undefined;
  if (channel.type === 1) return { users: { [userId]: user } };
  const member = world.guild(channel.guild_id)?.member(userId);
  if (!member) return { users: { [userId]: user } };
  const { user: _, ...bare } = member;
  return { users: { [userId]: user }, members: { [userId]: { ...bare, permissions: '0' } } };
}
