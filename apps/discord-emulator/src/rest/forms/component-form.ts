/** Buttons and select menus of a message (docs: Components Reference). */
import { z } from 'zod';

const emoji = z.object({
  id: z.string().nullish(),
  name: z.string().nullish(),
  animated: z.boolean().optional(),
});
const customId = z.string().min(1).max(100);

const button = z.object({
  type: z.literal(2),
  id: z.number().int().optional(),
  style: z.number().int().min(1).max(6),
  label: z.string().max(80).optional(),
  emoji: emoji.optional(),
  custom_id: customId.optional(),
  url: z.string().max(512).optional(),
  disabled: z.boolean().optional(),
});

const stringSelect = z.object({
  type: z.literal(3),
  id: z.number().int().optional(),
  custom_id: customId,
  placeholder: z.string().max(150).optional(),
  min_values: z.number().int().min(0).max(25).default(1),
  max_values: z.number().int().min(1).max(25).default(1),
  disabled: z.boolean().optional(),
  options: z
    .array(
      z.object({
        label: z.string().min(1).max(100),
        value: z.string().min(1).max(100),
        description: z.string().max(100).optional(),
        emoji: emoji.optional(),
        default: z.boolean().optional(),
      }),
    )
    .min(1)
    .max(25),
});

const row = z.object({
  type: z.literal(1),
  id: z.number().int().optional(),
  components: z
    .array(z.discriminatedUnion('type', [button, stringSelect]))
    .min(1)
    .max(5),
});

/** A button or a select menu, numbered as Discord numbers what came without an id. */
export type Component = z.infer<typeof row>['components'][number] & { readonly id: number };

/** A row of them. */
export interface ActionRow {
  readonly type: 1;
  readonly id: number;
  readonly components: readonly Component[];
}

/** Up to five rows; ids are given in the order of the tree, from 1. */
export const componentsForm = z
  .array(row)
  .max(5)
  .transform((rows): readonly ActionRow[] => {
    let next = 1;
    return rows.map(({ type, id, components }) => ({
      type,
      id: id ?? next++,
      components: components.map((component) => ({ ...component, id: component.id ?? next++ })),
    }));
  });
