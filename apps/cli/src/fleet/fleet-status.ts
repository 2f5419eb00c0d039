import { exchangeContract, scalingSignal } from '@starling/contracts';
import { z } from 'zod';
import type { RunningFleet } from './fleet.ts';
import { residentBytes } from './process-memory.ts';

/** What `/status` of a running fleet tells. */
export const fleetStatus = z.object({
  mode: z.enum(['local', 'embedded']),
  uptimeMs: z.number(),
  parts: z.array(
    z.object({
      name: z.string(),
      detail: z.string(),
      /** Absent between the death of a process and its restart. */
      pid: z.int().optional(),
      /** Resident memory with everything it started. */
      memoryBytes: z.number().optional(),
    }),
  ),
  /** Questions answered since the start; `shared` of them cost no call of the provider. */
  answers: z.object({ answered: z.int(), shared: z.int(), savedPercent: z.number() }),
  /** How many workers are wanted, and why; absent in the first seconds. */
  load: scalingSignal.optional(),
  /** The last ones, newest first. */
  exchanges: z.array(exchangeContract.schema),
});

export type FleetStatus = z.infer<typeof fleetStatus>;

/** How many exchanges the status shows. */
const shownExchanges = 5;

/** The fleet as it is now. */
export async function readStatus(fleet: RunningFleet, uptimeMs: number): Promise<FleetStatus> {
  const parts = fleet.parts().map(async (part) => {
    const memoryBytes = part.pid === undefined ? undefined : await residentBytes(part.pid);
    return { ...part, ...(memoryBytes !== undefined && { memoryBytes }) };
  });
  const { answered, shared } = fleet.exchanges.counts;
  const savedPercent = Math.round((1_000 * shared) / Math.max(1, answered)) / 10;
  const load = fleet.load();
  return {
    mode: fleet.mode,
    uptimeMs: Math.round(uptimeMs),
    parts: await Promise.all(parts),
    answers: { answered, shared, savedPercent },
    ...(load && { load }),
    exchanges: [...fleet.exchanges.recent(shownExchanges)],
  };
}
