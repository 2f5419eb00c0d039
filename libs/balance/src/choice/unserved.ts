import type { LoadReport } from '@starling/contracts';
import { serves } from './choose-worker.ts';

/** The newest word of a worker, and when it came. */
export interface HeardReport {
  readonly report: LoadReport;
  readonly reportedAtMs: number;
}

/**
 * Whether none of these workers can serve a model, and none of them did a moment ago: one that fell silent
 * may restart, and who waits for it has not waited for long. Of no living workers at all nothing is known;
 * one that drains counts, since it is about to come back, or another in its place.
 */
export function isUnserved(
  heard: Iterable<HeardReport>,
  asked: {
    readonly model: string;
    readonly nowMs: number;
    /** A worker that was silent this long is dead. */
    readonly deadMs: number;
    /** One that died is waited for this long. */
    readonly returnMs: number;
  },
): boolean {
  const { deadMs, model, nowMs, returnMs } = asked;
  let living = false;
  for (const { report, reportedAtMs } of heard) {
    const silentMs = nowMs - reportedAtMs;
    if (silentMs < deadMs + returnMs && serves(report, model)) return false;
    living ||= silentMs < deadMs;
  }
  return living;
}
