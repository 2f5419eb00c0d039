import type { Random } from '@starling/clock';
import { z } from 'zod';

/**
 * A lognormal quantity: half of the draws lie under `median`; `sigma` is the standard deviation of
 * the logarithm (0: always the median; 0.5: the 99th percentile is 3.2 times the median). Latencies
 * of real providers fit it well, having no negative values and a long tail.
 */
export const lognormalSchema = z.strictObject({
  median: z.number().min(0).max(10_000_000),
  sigma: z.number().min(0).max(3).default(0),
});

export type Lognormal = z.infer<typeof lognormalSchema>;

/** No draw lies further out than this many standard deviations, so that every delay has a bound. */
const furthestDeviation = 4;

/** One draw: median · e^(sigma · z), z standard normal by Box and Muller. Takes two numbers of `random`. */
export function drawLognormal({ median, sigma }: Lognormal, random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const normal = radius * Math.cos(2 * Math.PI * random.next());
  const bounded = Math.max(-furthestDeviation, Math.min(furthestDeviation, normal));
  return median * Math.exp(sigma * bounded);
}
