import type { Random } from '@starling/clock';
import type { WorkerLoad } from '../fleet-view.ts';

/** Names of the strategies, as the setting has them (features B2). */
export const strategyNames = [
  'least_connections',
  'round_robin',
  'weighted',
  'power_of_two',
  'peak_ewma',
] as const;
export type StrategyName = (typeof strategyNames)[number];

/** How one of several workers is picked. All that are offered may be picked: none is full, tried or draining. */
export interface Strategy {
  readonly name: StrategyName;
  pick(workers: readonly WorkerLoad[], random: Random): WorkerLoad | undefined;
}

/**
 * Jobs in flight per slot, with a sick worker standing behind every well one: at a score of 0.5 it
 * counts as one whole round of its slots busier. Equal ratios are equal numbers (a quotient is rounded
 * correctly), so equals are found by comparing.
 */
export function loadOf({ inFlight, slots, score = 1 }: WorkerLoad): number {
  return inFlight / slots + (1 / score - 1);
}
