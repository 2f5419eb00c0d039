/** Embeds of a message (docs: Message, "Embed Limits"). */
import { z } from 'zod';

const url = z.string().max(2048);
const media = z.object({ url }).transform(({ url }) => ({ url, proxy_url: url }));

const embed = z
  .object({
    title: z.string().max(256).optional(),
    description: z.string().max(4096).optional(),
    url: url.optional(),
    timestamp: z.string().optional(),
    color: z.number().int().min(0).max(0xffffff).optional(),
    footer: z.object({ text: z.string().max(2048), icon_url: url.optional() }).optional(),
    image: media.optional(),
    thumbnail: media.optional(),
    author: z
      .object({ name: z.string().max(256), url: url.optional(), icon_url: url.optional() })
      .optional(),
    fields: z
      .array(
        z.object({
          name: z.string().max(256),
          value: z.string().max(1024),
          inline: z.boolean().default(false),
        }),
      )
      .max(25)
      .optional(),
  })
  .transform((value) => ({ type: 'rich', ...value }));

/** An embed as it is stored and shown. */
export type Embed = z.infer<typeof embed>;

/** All the text that counts towards a message's 6000 characters. */
function textLength(value: Embed): number {
  const texts = [
    value.title,
    value.description,
    value.footer?.text,
    value.author?.name,
    ...(value.fields ?? []).flatMap(({ name, value }) => [name, value]),
  ];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}

/** At most 10 embeds with 6000 characters between them. */
export const embedsForm = z
  .array(embed)
  .max(10)
  .refine((embeds) => embeds.reduce((sum, each) => sum + textLength(each), 0) <= 6000, {
    message: 'Embed size exceeds maximum size of 6000',
  });
