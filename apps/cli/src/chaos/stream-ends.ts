/** Whether the model's streams ended when the question behind them was taken back. */
import type { Interruption } from './interruptions.ts';
import type { Strike } from './strikes.ts';

/** A call of the model for one message. Times are milliseconds since the load began. */
export interface JudgedCall {
  readonly startMs: number;
  /** Absent while it is open. */
  readonly endMs?: number;
}

/** What a question that was taken back did to its streams. */
export interface StreamEnds {
  /** Open when it was taken back. */
  readonly open: number;
  /** Open, or begun, later than may be. */
  readonly streamedOn: readonly JudgedCall[];
}

/** A word travels in milliseconds; a busy machine has this long. */
const closeMs = 3_000;
/**
 * What was struck around then may not hear it: a cluster that comes back, a job that runs again once
 * (3 s of silence, two looks at the ledger), an end that its button writes itself after 3 s.
 */
const recoveryMs = 8_000;

/** Judges the calls of one message; nothing of one that was not taken back. */
export function streamsOf(
  message: { readonly calls: readonly JudgedCall[]; readonly interruption?: Interruption },
  strikes: readonly Pick<Strike, 'atMs' | 'overMs'>[],
): StreamEnds {
  const { calls, interruption } = message;
  if (!interruption) return { open: 0, streamedOn: [] };
  const { atMs } = interruption;
  const disturbed = strikes
    .filter((strike) => strike.atMs < atMs + closeMs && strike.overMs + recoveryMs > atMs)
    .map(({ overMs }) => overMs + recoveryMs);
  const byMs = Math.max(atMs, ...disturbed) + closeMs;
  return {
    open: calls.filter(({ startMs, endMs }) => startMs < atMs && (endMs ?? atMs) >= atMs).length,
    streamedOn: calls.filter(({ endMs }) => endMs === undefined || endMs > byMs),
  };
}
