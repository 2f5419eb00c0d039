import type { Random } from '@starling/clock';

/** Bounds of a wait before another try. */
export interface Backoff {
  /** Upper bound of the first wait, milliseconds; it doubles with each failure. */
  readonly baseMs: number;
  /** Upper bound of any wait, milliseconds. */
  readonly capMs: number;
}

/**
 * The wait before the next try: anywhere between 0 and the doubled bound ("full jitter", which keeps
 * many that failed together from coming back together; aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 * @param failures how many tries have failed in a row, 1 or more
 */
export function fullJitterMs(backoff: Backoff, failures: number, random: Random): number {
  const bound = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(failures - 1, 30));
  return random.next() * bound;
}
