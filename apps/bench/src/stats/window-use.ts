/** How a limit in every window of a length was used, judged from what a provider counted. */

/** LLM tokens, and the moment at which they count. */
export interface Charge {
  readonly atMs: number;
  readonly amount: number;
}

/** The most in any window (t − windowMs, t]; it ends at a charge. */
export function fullestWindow(charges: readonly Charge[], windowMs: number): number {
  const ordered = charges.toSorted((a, b) => a.atMs - b.atMs);
  let fullest = 0;
  let level = 0;
  let from = 0;
  for (const { amount, atMs } of ordered) {
    level += amount;
    for (
      let oldest = ordered[from];
      oldest && oldest.atMs <= atMs - windowMs;
      oldest = ordered[++from]
    ) {
      level -= oldest.amount;
    }
    fullest = Math.max(fullest, level);
  }
  return fullest;
}

/** The mean of the windows that end at `fromMs` and later, up to `toMs`, looked at a hundred times a window. */
export function meanWindow(
  charges: readonly Charge[],
  of: { readonly windowMs: number; readonly fromMs: number; readonly toMs: number },
): number {
  const { fromMs, toMs, windowMs } = of;
  let sum = 0;
  let looks = 0;
  for (let atMs = fromMs; atMs <= toMs; atMs += windowMs / 100) {
    looks += 1;
    for (const charge of charges) {
      if (charge.atMs <= atMs && charge.atMs > atMs - windowMs) sum += charge.amount;
    }
  }
  return looks === 0 ? Number.NaN : sum / looks;
}
