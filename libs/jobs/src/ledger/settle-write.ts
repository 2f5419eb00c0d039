import { BusError } from '@starling/bus';
import type { Clock } from '@starling/clock';

/** Between tries, as at acceptance. */
const retryEveryMs = 100;

/** One call of the store, a read or a write; a write over somebody else's claim is a call of each. */
export const tryTimeoutMs = 500;

/**
 * Tries again while the store gives no clear answer, so that a moment without it costs no attempt.
 * @param attempt is told whether an earlier try may have been carried out unseen
 * @throws {BusError} the last one, when `retryForMs` are over, or at once for what no try can mend
 */
export async function settled<Result>(
  parts: { readonly clock: Clock; readonly retryForMs: number },
  attempt: (unsure: boolean) => Promise<Result>,
): Promise<Result> {
  const { clock, retryForMs } = parts;
  const giveUpAtMs = clock.monotonicMs() + retryForMs;
  for (let unsure = false; ; unsure = true) {
    try {
      return await attempt(unsure);
    } catch (error) {
      const passing = error instanceof BusError && passingCodes.has(error.code);
      if (!passing || clock.monotonicMs() + retryEveryMs >= giveUpAtMs) throw error;
    }
    await clock.sleep(retryEveryMs);
  }
}

/** What the next try may find mended. */
const passingCodes: ReadonlySet<BusError['code']> = new Set([
  'timeout',
  'unreachable',
  'no_responders',
]);
