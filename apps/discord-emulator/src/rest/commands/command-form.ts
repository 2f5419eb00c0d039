/** Application commands as the bot registers them (docs: Application Commands). */
import { z } from 'zod';

/** Command types: a slash command, and the context menus of a user and of a message. */
export const commandTypes = { chatInput: 1, user: 2, message: 3 } as const;

/** Docs: "Application Command Naming"; letters must be the lower-case ones where both exist. */
const chatInputName = z
  .string()
  .regex(/^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u)
  .refine((name) => name === name.toLowerCase(), { message: 'Command name is invalid' });
const menuName = z.string().min(1).max(32);

const localizations = z.record(z.string(), z.string().max(100)).nullish();
const description = z.string().min(1).max(100);

const choice = z.object({
  name: z.string().min(1).max(100),
  name_localizations: localizations,
  value: z.union([z.string().max(100), z.number()]),
});

const optionFields = {
  type: z.number().int().min(1).max(11),
  name: chatInputName,
  name_localizations: localizations,
  description,
  description_localizations: localizations,
  required: z.boolean().optional(),
  choices: z.array(choice).max(25).nullish(),
  channel_types: z.array(z.number().int()).nullish(),
  min_value: z.number().nullish(),
  max_value: z.number().nullish(),
  min_length: z.number().int().min(0).max(6000).nullish(),
  max_length: z.number().int().min(1).max(6000).nullish(),
  autocomplete: z.boolean().nullish(),
};

const valueOption = z.object(optionFields);
const nested = <T extends z.ZodType>(inner: T) =>
  z.object({ ...optionFields, options: z.array(inner).max(25).nullish().transform(orAbsent) });
function orAbsent<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
const options = z.array(nested(nested(valueOption))).max(25);

/** An option with those below it: a group holds subcommands, a subcommand holds values. */
export type CommandOption = z.output<typeof valueOption> & {
  readonly options?: readonly CommandOption[] | undefined;
};

const fields = {
  type: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(1),
  name_localizations: localizations,
  description_localizations: localizations,
  default_member_permissions: z.string().nullish(),
  dm_permission: z.boolean().nullish(),
  nsfw: z.boolean().nullish(),
  contexts: z.array(z.number().int().min(0).max(2)).nullish(),
  integration_types: z.array(z.number().int().min(0).max(1)).nullish(),
  options: options.nullish(),
};

const command = z
  .object({
    ...fields,
    id: z.string().nullish(),
    name: z.string(),
    description: z.string().max(100).nullish(),
  })
  .superRefine((value, context) => {
    const slash = value.type === commandTypes.chatInput;
    const name = (slash ? chatInputName : menuName).safeParse(value.name);
    if (!name.success) {
      context.addIssue({ code: 'custom', path: ['name'], message: 'Command name is invalid' });
    }
    if (slash !== ((value.description ?? '') !== '')) {
      const message = slash
        ? 'This field is required'
        : 'Context menu commands have no description';
      context.addIssue({ code: 'custom', path: ['description'], message });
    }
    if (textLength(value) > maxTextLength) {
      const message = `Command exceeds maximum size (${maxTextLength})`;
      context.addIssue({ code: 'custom', path: ['options'], message });
    }
  });

/** Name, description and value texts of a command, its options and choices together. */
const maxTextLength = 8000;

interface TextBearer {
  readonly name: string;
  readonly name_localizations?: Readonly<Record<string, string>> | null | undefined;
  readonly description?: string | null | undefined;
  readonly description_localizations?: Readonly<Record<string, string>> | null | undefined;
  readonly options?: readonly TextBearer[] | null | undefined;
  readonly choices?:
    | readonly { readonly name: string; readonly value: string | number }[]
    | null
    | undefined;
}

/** Of localised texts only the longest counts (docs: "Application Command Limits"). */
function textLength(bearer: TextBearer): number {
  const longest = (text: string, localized: Readonly<Record<string, string>> | null | undefined) =>
    Math.max(text.length, ...Object.values(localized ?? {}).map(({ length }) => length));
  const own =
    longest(bearer.name, bearer.name_localizations) +
    longest(bearer.description ?? '', bearer.description_localizations);
  const below = (bearer.options ?? []).reduce((sum, option) => sum + textLength(option), 0);
  const choices = (bearer.choices ?? []).reduce(
    (sum, { name, value }) => sum + name.length + (typeof value === 'string' ? value.length : 0),
    0,
  );
  return own + below + choices;
}

/** One command. */
export const commandForm = command;
export type CommandForm = z.output<typeof commandForm>;
/** All commands of a scope, as `PUT` overwrites them. */
export const commandsForm = z.array(command).max(130);
