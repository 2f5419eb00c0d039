import type { Clock } from './clock.ts';

/** An absolute end with the signal that fires there. Dispose it when the work ended early. */
export interface Deadline extends Disposable {
  readonly atMs: number;
  readonly signal: AbortSignal;
  /** Milliseconds left, never negative. */
  remainingMs(): number;
}

/**
 * A deadline `durationMs` from now. Its signal aborts with a `TimeoutError` (the reason that
 * `AbortSignal.timeout` uses), so callers tell a timeout from a cancel by the reason's name.
 */
export function deadlineAfter(clock: Clock, durationMs: number): Deadline {
  const atMs = clock.nowMs() + durationMs;
  const controller = new AbortController();
  const timer = clock.schedule(durationMs, () =>
    controller.abort(new DOMException(`deadline of ${durationMs} ms passed`, 'TimeoutError')),
  );
  return {
    atMs,
    signal: controller.signal,
    remainingMs: () => Math.max(0, atMs - clock.nowMs()),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
