/** When the calls of a run are due: fixed beforehand, whatever becomes of the calls before. */
import { seededRandom } from '@starling/clock';

/** How calls arrive. */
export type Arrivals =
  /** One every `1 / perSecond`. */
  | { readonly kind: 'even'; readonly perSecond: number }
  /** Independent of each other, as people are: exponential gaps, repeatable from the seed. */
  | { readonly kind: 'poisson'; readonly perSecond: number; readonly seed: number };

/** Milliseconds after the start, ascending, all below `durationMs`. */
export function* dueTimes(arrivals: Arrivals, durationMs: number): Generator<number> {
  const gapMs = 1000 / arrivals.perSecond;
  if (arrivals.kind === 'even') {
    for (let index = 0; index * gapMs < durationMs; index += 1) yield index * gapMs;
    return;
  }
  const random = seededRandom(arrivals.seed);
  const gap = () => -Math.log(1 - random.next()) * gapMs;
  for (let dueMs = gap(); dueMs < durationMs; dueMs += gap()) yield dueMs;
}
