/** What the emulated providers are like when nothing is wrong: models, speeds, keys. Data, set at run time. */
import { z } from 'zod';
import { keyLabel } from './key-label.ts';
import { lognormalSchema } from './lognormal.ts';

const modelSchema = z.strictObject({
  /** The name clients ask for. */
  name: z.string().min(1).max(200),
  /** Whether it is in memory, by the word of Ollama's list of what is. */
  loaded: z.boolean().default(true),
  /** Milliseconds from the request until the status line and headers of a stream; never after the first token. */
  headersMs: lognormalSchema.prefault({ median: 5 }),
  /** Milliseconds from the request until its first token. */
  firstTokenMs: lognormalSchema,
  /** Drawn once an answer. */
  tokensPerSecond: z.strictObject({
    median: z.number().min(0.1).max(1_000_000),
    sigma: z.number().min(0).max(3).default(0),
  }),
  /** Length of the visible answer in LLM tokens; drawn from the request's own hash, so it is the same each time. */
  answerTokens: lognormalSchema.prefault({ median: 60, sigma: 0.4 }),
  /** LLM tokens of reasoning before the answer; 0 for a model that does not show any. */
  reasoningTokens: z.int().min(0).max(100_000).default(0),
  /** Where an OpenAI-compatible server puts reasoning (vLLM and DeepSeek; OpenRouter); `inline` is `<think>` in the text, in every dialect. */
  reasoningStyle: z.enum(['reasoning_content', 'reasoning', 'inline']).default('reasoning_content'),
  /** LLM tokens that go into one chunk of a stream. More is cheaper to send and coarser to watch. */
  tokensPerChunk: z.int().min(1).max(10_000).default(1),
  /** Prompt and answer together, in LLM tokens; a longer prompt is refused with 400. */
  contextTokens: z.int().min(1).max(10_000_000).default(128_000),
});

/** One model of the emulated providers. */
export type ModelProfile = z.infer<typeof modelSchema>;

export const profileSchema = z.strictObject({
  /** Seeds the latency draws, which are taken in the order of arrival; without it they follow the emulator's own randomness. */
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  /** Every delay of a profile is multiplied by it: 0.01 runs a hundred times faster, 0 answers at once. Delays of faults are not. */
  timeScale: z.number().min(0).max(1000).default(1),
  /** Keys that are let in, or their labels; `null` lets everybody in. Kept as labels only. */
  acceptedKeys: z
    .array(z.string().min(1).max(500).transform(keyLabel))
    .max(1000)
    .nullable()
    .default(null),
  models: z
    .array(modelSchema)
    .min(1)
    .max(100)
    .refine((models) => new Set(models.map(({ name }) => name)).size === models.length, {
      error: 'give each model a name of its own',
    })
    .default(() => defaultModels.map((model) => modelSchema.parse(model))),
});

/** A whole profile with every default filled in. */
export type Profile = z.infer<typeof profileSchema>;
/** A profile as one writes it: what is left out takes its default. */
export type ProfileInput = z.input<typeof profileSchema>;

/** A quick model, a slow and long-winded one, one that reasons first, and one without delays for benchmarks. */
const defaultModels: readonly z.input<typeof modelSchema>[] = [
  {
    name: 'sim-small',
    firstTokenMs: { median: 250, sigma: 0.4 },
    tokensPerSecond: { median: 90, sigma: 0.2 },
  },
  {
    name: 'sim-large',
    firstTokenMs: { median: 900, sigma: 0.5 },
    tokensPerSecond: { median: 35, sigma: 0.25 },
    answerTokens: { median: 180, sigma: 0.5 },
  },
  {
    name: 'sim-reasoner',
    firstTokenMs: { median: 700, sigma: 0.5 },
    tokensPerSecond: { median: 60, sigma: 0.25 },
    answerTokens: { median: 120, sigma: 0.4 },
    reasoningTokens: 80,
  },
  {
    name: 'sim-instant',
    headersMs: { median: 0 },
    firstTokenMs: { median: 0 },
    tokensPerSecond: { median: 1_000_000 },
    answerTokens: { median: 50 },
  },
];
