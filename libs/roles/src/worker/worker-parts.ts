import type { Bus } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import type { JobId, WorkerId } from '@starling/contracts';
import type { Drainable } from '@starling/lifecycle';
import type { BreakerBoard, ModelSource, Provider } from '@starling/llm';
import type { DeliveryConfig } from '../delivery/send-result.ts';

/** Settings of `workerSection`, `deliverySection` and `sharingSection` that the role itself needs. */
export interface WorkerConfig extends DeliveryConfig {
  readonly slots: number;
  readonly minSlots: number;
  readonly reportEveryMs: number;
  readonly coalesceMs: number;
  readonly callKeptMs: number;
  readonly models?: readonly string[] | undefined;
  readonly modelsEveryMs: number;
}

export interface WorkerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly provider: Provider;
  /** Where its models are looked up; absent: it serves what its settings name, or any. */
  readonly modelSource?: ModelSource | undefined;
  /** What the provider knows of its rungs, shared with the other workers; absent: it is kept to itself. */
  readonly board?: BreakerBoard | undefined;
  readonly workerId: WorkerId;
  readonly config: WorkerConfig;
}

/** A worker at one moment. */
export interface WorkerSnapshot {
  readonly slots: number;
  /** Calls that may be in flight now, `slots` at most (features B9). */
  readonly limit: number;
  readonly running: readonly JobId[];
  readonly draining: boolean;
}

export type Worker = Drainable & { snapshot(): WorkerSnapshot };
