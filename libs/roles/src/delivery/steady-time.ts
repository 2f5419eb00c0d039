import type { Clock } from '@starling/clock';

/**
 * Milliseconds since the Unix epoch that never run backwards: the wall clock as it was at the start,
 * carried on by the monotonic one. The cores compare it with deadlines, which are wall-clock times.
 */
export function steadyTime(clock: Clock): () => number {
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  return () => offsetMs + clock.monotonicMs();
}
