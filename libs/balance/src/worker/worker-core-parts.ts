import type { WorkerId } from '@starling/contracts';
import type { endRule } from './end-rule.ts';
import type { WorkerLimits } from './worker-limits.ts';

/** What a worker's core is made of. */
export interface WorkerCoreParts {
  readonly self: WorkerId;
  /** Greater than that of every earlier process of this worker: its start time. */
  readonly epoch: number;
  readonly slots: number;
  /** Slots that stay however late answers begin; absent: all of them. */
  readonly minSlots?: number;
  readonly startedAtMs: number;
  readonly limits?: WorkerLimits;
  /** The product's own, unless a simulation wants another one found out. */
  readonly endRule?: typeof endRule;
}
