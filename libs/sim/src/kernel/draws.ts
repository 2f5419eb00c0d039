import type { Random } from '@starling/clock';

/** A draw from the exponential distribution: the gap between two events of a Poisson process. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random.next()) * mean;
}

/** A draw from the lognormal distribution with this mean and shape `sigma` (Box and Muller). */
export function lognormal(random: Random, shape: { mean: number; sigma: number }): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const normal = radius * Math.cos(2 * Math.PI * random.next());
  return Math.exp(Math.log(shape.mean) - shape.sigma ** 2 / 2 + shape.sigma * normal);
}

/** The value below which `share` of the sorted numbers lie, 0 without any. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  const at = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return sorted[Math.max(0, at)] ?? 0;
}
