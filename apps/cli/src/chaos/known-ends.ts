import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { type ErrorCode, jobId } from '@starling/contracts';
import { openJobStores } from '@starling/jobs';

/** What the ledger says of a job's end. */
export interface KnownEnd {
  /** Absent when it was answered. */
  readonly code?: ErrorCode;
  /** The last attempt; 0 when nobody ran it. */
  readonly attempt: number;
}

/** More than a person looks into. */
const maxEnds = 100;

/** Reads what the ledger says of the first of these messages, by their id, as far as it can be read. */
export async function endsOf(
  messages: readonly { readonly id: string }[],
  parts: { readonly bus: Bus; readonly clock: Clock },
): Promise<ReadonlyMap<string, KnownEnd>> {
  const ends = new Map<string, KnownEnd>();
  if (messages.length === 0) return ends;
  try {
    const { ledger } = await openJobStores(parts);
    for (const { id } of messages.slice(0, maxEnds)) {
      const read = await ledger.read(jobId.parse(id));
      if (read.kind !== 'end') continue;
      const { attempt, result } = read.end;
      const { outcome } = result;
      ends.set(id, { attempt, ...(outcome.kind === 'failed' && { code: outcome.code }) });
    }
  } catch {
    // A NATS that is still away is a trouble of the run; the evidence does without.
  }
  return ends;
}
