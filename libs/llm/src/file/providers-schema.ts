import { z } from 'zod';

/** Names of ours, as they stand in logs and on spans. */
const name = z
  .string({ error: 'give it a name' })
  .regex(/^[\w.:/-]{1,100}$/, 'use letters, digits and . : / _ - (100 at most)');
/** What a provider calls a model. */
const providerModel = z
  .string({ error: "give it the provider's name of a model" })
  .min(1, "give it the provider's name of a model")
  .max(200, 'no model has a name of more than 200 characters');
const dollars = z
  .number({ error: 'give it a number: US dollars for a million LLM tokens' })
  .min(0, 'a price is 0 or more')
  .max(1_000_000, 'that is no price for a million LLM tokens');

const keyRemedy =
  'say where the key stands, {"env": "NAME_OF_A_VARIABLE"} or {"file": "path"}, never the key itself';
const key = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/) }),
    z.strictObject({ file: z.string().min(1).max(300) }),
  ],
  { error: keyRemedy },
);

const isHttp = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const provider = z.strictObject({
  name,
  dialect: z.enum(['openai', 'ollama', 'anthropic'], {
    error: 'set it to one of openai, ollama, anthropic',
  }),
  /** With the version path where the API has one. */
  baseUrl: z
    .string({ error: 'give it an address: https://…' })
    .max(300, 'no address has more than 300 characters')
    .refine(isHttp, 'give it an address: https://…, with its version path')
    .refine(
      (text) => !isHttp(text) || new URL(text).username === '',
      'leave user and password out of the address; keys have a place of their own',
    )
    .transform((text) => text.replace(/\/+$/, '')),
  keys: z.array(key, { error: keyRemedy }).max(32, 'give it 32 keys at most').default([]),
});

const step = z.strictObject({
  provider: name,
  model: providerModel,
  price: z.strictObject({ promptPerMillion: dollars, completionPerMillion: dollars }).optional(),
});

const model = z.strictObject({
  name,
  ladder: z
    .array(step, { error: 'list its rungs: [{"provider": …, "model": …}]' })
    .min(1, 'give it at least one rung')
    .max(16, 'give it 16 rungs at most'),
});

/** The file of providers, as it is written. */
export const providersSchema = z.strictObject(
  {
    providers: z
      .array(provider, { error: 'list the providers: [{"name": …, "dialect": …, "baseUrl": …}]' })
      .min(1, 'list at least one provider')
      .max(32, 'list 32 providers at most'),
    models: z
      .array(model, { error: 'list the models: [{"name": …, "ladder": […]}]' })
      .min(1, 'list at least one model')
      .max(100, 'list 100 models at most'),
    /** Which model answers when none is asked for; the first one unless given. */
    defaultModel: name.optional(),
    /** Models for simple and for complex questions that name none; then nobody asks for the default. */
    choice: z.strictObject({ simple: name, complex: name }).optional(),
  },
  { error: 'write an object with providers and models' },
);

export type ProvidersFile = z.infer<typeof providersSchema>;
