import { defaultWorkerLimits, type WorkerLimits } from '@starling/balance';
import type { WorkerConfig } from './worker-parts.ts';

/** The core's limits under these settings. */
export function workerLimitsOf({
  callKeptMs,
  reportEveryMs,
}: Pick<WorkerConfig, 'callKeptMs' | 'reportEveryMs'>): WorkerLimits {
  const calls = { ...defaultWorkerLimits.calls, keptMs: callKeptMs };
  return { ...defaultWorkerLimits, reportMs: reportEveryMs, calls };
}
