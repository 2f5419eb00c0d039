/** People use commands, buttons and select menus. */
import { z } from 'zod';
import type { MessagePayload } from '../core/payloads.ts';
import type { Component } from '../rest/forms/component-form.ts';
import { interactionTypes } from '../rest/interactions/interaction-payload.ts';
import type { Platform } from '../rest/platform.ts';
import type { AnswerBook } from './answer-book.ts';
import { commandData } from './command-data.ts';
import { parseInput } from './people-error.ts';
import { placeOf, refuse, seenMessage } from './places.ts';
import { placeShape } from './speak.ts';

const id = z.string().regex(/^\d{17,20}$/, 'not an id: 17 to 20 digits, as a string');
const commandInput = z.strictObject({
  ...placeShape,
  /** With its subcommand, if it has any: `limits show`. */
  name: z.string().min(1).max(100),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** Of a context menu command. */
  targetMessageId: id.optional(),
  targetUserId: id.optional(),
});
const pressInput = z.strictObject({
  userId: id.optional(),
  messageId: id,
  customId: z.string().min(1).max(100),
});
const selectInput = z.strictObject({
  ...pressInput.shape,
  values: z.array(z.string().max(100)).max(25),
});

/** An interaction that a person caused. */
export interface Used {
  readonly interactionId: string;
  readonly channelId: string;
  readonly userId: string;
}

/** Runs a slash command, or a context menu command on its target. */
export function useCommand(platform: Platform, answers: AnswerBook, input: unknown): Used {
  const form = parseInput(commandInput, input);
  const { user, channel } = placeOf(platform.world, form);
  const { commands } = platform;
  const [root = ''] = form.name.split(' ');
  const guildId = channel.type === 1 ? undefined : channel.guild_id;
  // Context menu commands may have spaces in their own names.
  const command =
    commands.find({ guildId, name: form.name }) ?? commands.find({ guildId, name: root });
  if (!command) {
    const known = [...(guildId === undefined ? [] : commands.list(guildId)), ...commands.list()];
    const names = known.map(({ name }) => name).join(', ') || 'none yet';
    throw refuse('name', form.name, 'no such command here', `registered: ${names}`);
  }
  const data = commandData(platform, { command, form, channel });
  return cause(platform, answers, { type: interactionTypes.command, user, channel, data });
}

/** Presses a button. */
export function pressButton(platform: Platform, answers: AnswerBook, input: unknown): Used {
  const form = parseInput(pressInput, input);
  const { message, component } = componentOf(platform, form);
  if (component.type !== 2) {
    throw refuse('customId', form.customId, 'not a button', 'use POST /people/select');
  }
  const data = { custom_id: form.customId, component_type: component.type, id: component.id };
  return useComponent(platform, answers, { message, userId: form.userId, data });
}

/** Chooses in a select menu. */
export function chooseOptions(platform: Platform, answers: AnswerBook, input: unknown): Used {
  const form = parseInput(selectInput, input);
  const { message, component } = componentOf(platform, form);
  if (component.type !== 3) {
    throw refuse('customId', form.customId, 'not a select menu', 'use POST /people/press');
  }
  const { min_values: min, max_values: max, options } = component;
  const possible = options.map(({ value }) => value);
  const unknown = form.values.find((value) => !possible.includes(value));
  if (unknown !== undefined) {
    throw refuse('values', unknown, 'no such option', `one of: ${possible.join(', ')}`);
  }
  if (form.values.length < min || form.values.length > max) {
    throw refuse('values', form.values.length, 'too few or too many', `${min} to ${max} values`);
  }
  const data = {
    custom_id: form.customId,
    component_type: component.type,
    id: component.id,
    values: form.values,
  };
  return useComponent(platform, answers, { message, userId: form.userId, data });
}

function componentOf(
  platform: Platform,
  form: z.output<typeof pressInput>,
): { readonly message: MessagePayload; readonly component: Component } {
  const message = seenMessage(platform, form);
  const rows = message.components as unknown as readonly { components: readonly Component[] }[];
  const component = rows
    .flatMap(({ components }) => components)
    .find((one) => one.custom_id === form.customId);
  if (!component) {
    throw refuse('customId', form.customId, 'the message has no such component', 'see components');
  }
  if (component.disabled) {
    throw refuse('customId', form.customId, 'the component is disabled', 'use another one');
  }
  return { message, component };
}

function useComponent(
  platform: Platform,
  answers: AnswerBook,
  given: {
    readonly message: MessagePayload;
    readonly userId: string | undefined;
    readonly data: Readonly<Record<string, unknown>>;
  },
): Used {
  const { message, userId, data } = given;
  const { user, channel } = placeOf(platform.world, { userId, channelId: message.channel_id });
  return cause(platform, answers, {
    type: interactionTypes.component,
    user,
    channel,
    data,
    message,
  });
}

function cause(
  platform: Platform,
  answers: AnswerBook,
  given: Parameters<Platform['interactions']['create']>[0],
): Used {
  const interaction = platform.interactions.create(given);
  const { id: interactionId } = interaction;
  answers.follow({ id: interactionId, channelId: given.channel.id });
  return { interactionId, channelId: given.channel.id, userId: given.user.id };
}
