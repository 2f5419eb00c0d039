import { z } from 'zod';
import { defineContract, type Payload } from './contract.ts';
import { workerId } from './ids.ts';

/**
 * A worker to the others: the breaker of a rung (a model at a provider, under one of its keys) has opened or
 * closed, or its key is to be left alone. A hint: who missed it finds out by a call of its own.
 */
export const breakerStateContract = defineContract({
  name: 'breaker state',
  subject: 'cb.state',
  version: 1,
  delivery: 'at-most-once',
  maxBytes: 4096,
  schema: z.object({
    workerId,
    /** The same of one rung in every worker; names the key, never is it. */
    rungId: z.string().min(1).max(1_000),
    keyId: z.string().min(1).max(800),
    /** `key_rests`: over its limit. `key_out`: refused. */
    state: z.enum(['open', 'closed', 'key_rests', 'key_out']),
    /** How long it stays so, milliseconds from now; a reader bounds it by its own limits. */
    forMs: z.number().nonnegative().max(3_600_000),
  }),
});
export type BreakerState = Payload<typeof breakerStateContract>;
