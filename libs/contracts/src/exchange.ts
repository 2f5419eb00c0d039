import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { errorCodes } from './errors.ts';
import { clusterId, correlationId, jobId } from './ids.ts';
import { usage } from './job.ts';
import { discordOrigin } from './origin.ts';

/** The timed stages of one message, in their order (features A2). */
export const phaseNames = [
  'receive',
  'route',
  'context',
  'admit',
  'queue',
  'dispatch',
  'llm',
  'compose',
  'send',
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Milliseconds by phase; a phase that did no work is absent, never 0. */
export const phaseTimes = z.partialRecord(z.enum(phaseNames), z.number().nonnegative());
export type PhaseTimes = z.infer<typeof phaseTimes>;

/** One question and its ending, told to whoever listens: the start screen, `starling say`, the demo. */
export const exchangeContract = defineContract({
  name: 'exchange',
  subject: 'exchanges.<cluster>',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 64 * 1024,
  schema: z.object({
    jobId,
    clusterId,
    correlationId,
    origin: discordOrigin,
    ending: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('answered'),
        model: z.string(),
        usage,
        /** The answer came from the call of another question, which the usage counts for. */
        shared: z.boolean().optional(),
      }),
      z.object({ kind: z.literal('refused'), code: z.enum(errorCodes) }),
      z.object({ kind: z.literal('failed'), code: z.enum(errorCodes) }),
    ]),
    /** Messages posted and edits made in Discord for it. */
    posts: z.int().nonnegative(),
    edits: z.int().nonnegative(),
    phases: phaseTimes,
    /** From Discord's event to the first visible text, milliseconds; absent when none was shown. */
    firstTextMs: z.number().nonnegative().optional(),
    /** From Discord's event to the last edit, milliseconds. */
    totalMs: z.number().nonnegative(),
    /** The processes that had a part in it. */
    services: z.array(z.string()),
  }),
});
export type Exchange = Payload<typeof exchangeContract>;
