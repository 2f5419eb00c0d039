import type { CallLimits } from './call-timers.ts';

/** The slowest model that is waited for writes this many LLM tokens a second. */
const leastTokensPerSecond = 20;

/**
 * The limits of an answer in one piece. It shows no token before its end, so that only the total counts:
 * as long as its tokens may take at the slowest, the call's total at least, its hard cap at most.
 */
export function wholeLimits(limits: CallLimits, maxCompletionTokens: number): CallLimits {
  const { firstTokenTimeoutMs, hardCapMs, totalTimeoutMs } = limits;
  const slowMs = firstTokenTimeoutMs + (1000 * maxCompletionTokens) / leastTokensPerSecond;
  const endMs = Math.min(hardCapMs, Math.max(totalTimeoutMs, slowMs));
  const never = Number.POSITIVE_INFINITY;
  return {
    ...{ firstTokenTimeoutMs: never, idleTimeoutMs: never },
    ...{ totalTimeoutMs: endMs, hardCapMs: endMs },
  };
}
