/** The body of a message that the bot creates or edits (docs: Message, "Create Message"). */
import { z } from 'zod';
import { componentsForm } from './component-form.ts';
import { embedsForm } from './embed-form.ts';

/**
 * Discord's documented bound. The OpenAPI schema says 4000, and the docs do not say whether a
 * character is a code point; UTF-16 units are the stricter reading, so what passes here passes there.
 */
const maxContentLength = 2000;

/** Message flags (docs: Message, "Message Flags"). */
export const messageFlags = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
} as const;
/** Flags that a bot may set when it sends. */
export const sendFlags = messageFlags.suppressEmbeds | messageFlags.suppressNotifications;
/** Flags that it may set when it responds to an interaction. */
export const responseFlags = sendFlags | messageFlags.ephemeral;

const snowflake = z.string().regex(/^\d{1,20}$/);

/** Who may be pinged; absent means everything that the content names. */
export const allowedMentionsForm = z.object({
  parse: z.array(z.enum(['users', 'roles', 'everyone'])).optional(),
  users: z.array(snowflake).max(100).nullish(),
  roles: z.array(snowflake).max(100).nullish(),
  replied_user: z.boolean().nullish(),
});

const messageBody = {
  content: z.string().trim().max(maxContentLength).nullish(),
  embeds: embedsForm.nullish(),
  components: componentsForm.nullish(),
  allowed_mentions: allowedMentionsForm.nullish(),
  flags: z.number().int().min(0).nullish(),
  attachments: z
    .array(
      z.object({
        id: z.union([z.string(), z.number()]).transform(String),
        filename: z.string().max(1024).optional(),
        description: z.string().max(1024).nullish(),
      }),
    )
    .max(10)
    .nullish(),
};

/** What a bot may say when it edits a message. */
export const messageEditForm = z.object(messageBody);
export type MessageEditForm = z.infer<typeof messageEditForm>;

/** What a bot may say when it creates one. */
export const messageCreateForm = z.object({
  ...messageBody,
  nonce: z.union([z.string().max(25), z.number().int()]).nullish(),
  enforce_nonce: z.boolean().nullish(),
  tts: z.boolean().nullish(),
  message_reference: z
    .object({
      type: z.literal(0).nullish(),
      message_id: snowflake,
      channel_id: snowflake.nullish(),
      guild_id: snowflake.nullish(),
      fail_if_not_exists: z.boolean().nullish(),
    })
    .nullish(),
});
export type MessageCreateForm = z.infer<typeof messageCreateForm>;
export type AllowedMentionsForm = z.infer<typeof allowedMentionsForm>;
