/**
 * What a bucket allows. Permits are whole numbers of whatever it counts: requests, LLM tokens,
 * jobs at once, millionths of a dollar.
 */
export type BucketLimit =
  /**
   * The sum of what is held and of what was used in the last `windowMs`: a provider's limit a minute.
   * It is met in *every* window of that length, whether the provider counts a call at its beginning, at
   * its end or in between: a hold counts from the reserve on, its use until `windowMs` after the settle.
   */
  | { readonly kind: 'window'; readonly permits: number; readonly windowMs: number }
  /**
   * `permits` in `perMs`, evenly, and `burst` of them at once (GCRA: one number a bucket). In any span of
   * `perMs` at most `permits + burst` are let through.
   */
  | {
      readonly kind: 'rate';
      readonly permits: number;
      readonly perMs: number;
      readonly burst: number;
    }
  /** What is held at once; using costs nothing once it is over. */
  | { readonly kind: 'concurrency'; readonly permits: number }
  /** What is held and was used until the end of a day or month, which the bucket's key names: a budget. */
  | {
      readonly kind: 'period';
      readonly permits: number;
      readonly endsAtMs: number;
      /** Nothing of it is spent while nobody can count it. */
      readonly money?: boolean;
    };

/** A use is kept for a window in so many steps, each rounded up: it counts up to one step longer. */
const stepsOfWindow = 240;

/** When a use of now no longer counts. */
export function useEndsAtMs(limit: SumLimit, nowMs: number): number {
  switch (limit.kind) {
    case 'window': {
      const stepMs = stepOf(limit.windowMs);
      return (Math.floor(nowMs / stepMs) + 1) * stepMs + limit.windowMs;
    }
    case 'concurrency':
      return nowMs;
    case 'period':
      return limit.endsAtMs;
  }
}

/** The limits that are a sum of amounts, each with its end. */
export type SumLimit = Exclude<BucketLimit, { kind: 'rate' }>;
export type RateLimit = Extract<BucketLimit, { kind: 'rate' }>;

/** Length of one step of a window, milliseconds. */
export function stepOf(windowMs: number): number {
  return Math.ceil(windowMs / stepsOfWindow);
}

/** Microseconds between two permits, rounded up so that the rate is never exceeded. */
export function intervalUsOf({ perMs, permits }: RateLimit): number {
  return Math.ceil((perMs * 1_000) / permits);
}
