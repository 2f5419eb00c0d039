import type { StrategyName, WorkerLoad } from '@starling/balance';
import type { Bus } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import type { BalancerId } from '@starling/contracts';
import type { Drainable } from '@starling/lifecycle';
import type { DeliveryConfig } from '../delivery/send-result.ts';

/** Settings of `balancerSection`, `admissionSection` and `deliverySection` that the role itself needs. */
export interface BalancerConfig extends DeliveryConfig {
  readonly runTimeoutMs: number;
  readonly strategy: StrategyName;
  readonly jobsPerUser: number;
  readonly jobsPerGuild: number;
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
}

export type Balancer = Drainable & { snapshot(): BalancerSnapshot };
