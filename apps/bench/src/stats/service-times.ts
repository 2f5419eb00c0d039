import { seededRandom } from '@starling/clock';

/**
 * Service times in whole milliseconds from a lognormal distribution with this mean: many short
 * answers and a few very long ones, as LLM answers are.
 */
export function lognormalServiceTimes(options: {
  readonly meanMs: number;
  readonly sigma: number;
  readonly count: number;
  readonly seed: number;
}): number[] {
  const { meanMs, sigma, count, seed } = options;
  const random = seededRandom(seed);
  const mu = Math.log(meanMs) - sigma ** 2 / 2;
  // Box and Muller's transform.
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Array.from({ length: count }, () =>
    Math.max(1, Math.round(Math.exp(mu + sigma * normal()))),
  );
}
