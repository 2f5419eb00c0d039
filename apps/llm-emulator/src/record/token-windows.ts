/** The fullest sliding window over charges: how a provider's limit a minute is judged from outside. */

/** What one request cost and when it counts. */
export interface Charge {
  readonly atMs: number;
  readonly tokens: number;
}

export interface FullestWindow {
  /** Most LLM tokens in any window, and the wall-clock end of that window. */
  readonly tokens: number;
  readonly tokensAtMs: number;
  /** Most requests in any window. */
  readonly requests: number;
  readonly requestsAtMs: number;
}

/**
 * Slides a window (t − windowMs, t] over the charges: O(n log n) for the order, O(n) for the slide.
 * The maximum lies at a charge, so only those ends are looked at.
 */
export function fullestWindow(charges: readonly Charge[], windowMs: number): FullestWindow {
  const ordered = charges.toSorted((a, b) => a.atMs - b.atMs);
  const fullest = { tokens: 0, tokensAtMs: 0, requests: 0, requestsAtMs: 0 };
  let from = 0;
  let tokens = 0;
  for (const [index, charge] of ordered.entries()) {
    tokens += charge.tokens;
    for (
      let oldest = ordered[from];
      oldest && oldest.atMs <= charge.atMs - windowMs;
      oldest = ordered[++from]
    ) {
      tokens -= oldest.tokens;
    }
    if (tokens > fullest.tokens) {
      fullest.tokens = tokens;
      fullest.tokensAtMs = charge.atMs;
    }
    const requests = index - from + 1;
    if (requests > fullest.requests) {
      fullest.requests = requests;
      fullest.requestsAtMs = charge.atMs;
    }
  }
  return fullest;
}
