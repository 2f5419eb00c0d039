import type { StrategyName, WorkerLoad } from '@starling/balance';
import type { Bus } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import type { BalancerId, ScalingSignal } from '@starling/contracts';
import type { Drainable } from '@starling/lifecycle';
import type { DeliveryConfig } from '../delivery/send-result.ts';

/** Settings that the role itself needs, of its own section and of those for admission, delivery and sharing. */
export interface BalancerConfig extends DeliveryConfig {
  readonly runTimeoutMs: number;
  readonly strategy: StrategyName;
  readonly jobsPerUser: number;
  readonly jobsPerGuild: number;
  readonly callKeptMs: number;
  readonly scalingClearMs: number;
  readonly scalingUsePercent: number;
  readonly scalingHoldMs: number;
}

export interface BalancerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly balancerId: BalancerId;
  readonly config: BalancerConfig;
}

/** A balancer at one moment. */
export interface BalancerSnapshot {
  /** Jobs that it knows, stored and ephemeral; `waiting` of them for a free slot. */
  readonly tracked: number;
  readonly waiting: number;
  readonly workers: readonly WorkerLoad[];
  /** How loaded the fleet is and how many workers it wants (features B9); absent in its first second. */
  readonly scaling: ScalingSignal | undefined;
}

export type Balancer = Drainable & { snapshot(): BalancerSnapshot };
