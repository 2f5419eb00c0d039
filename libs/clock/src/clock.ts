/**
 * Time as an argument. This library is the only place that may read the machine's clock or arm one
 * of its timers (`tidy` holds that), so that a day of rate limits is tested in milliseconds on a
 * {@link SimulatedClock}.
 */
import { performance } from 'node:perf_hooks';

/** What a part needs to know about time. All values are milliseconds. */
export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch, for stamps that leave the process. */
  nowMs(): number;
  /** Milliseconds that never run backwards; only differences mean anything. */
  monotonicMs(): number;
  /**
   * Calls back once after `delayMs`. Disposing before that cancels it; disposing later is harmless.
   * The timer keeps the process alive.
   */
  schedule(delayMs: number, callback: () => void): Disposable;
  /** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
  sleep(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Node's largest timer delay; a longer one would fire at once (Node.js timers documentation). */
const maxTimerDelayMs = 2 ** 31 - 1;

/** `sleep` in terms of `schedule`, shared by every clock. */
export function sleepOn(
  clock: Pick<Clock, 'schedule'>,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer[Symbol.dispose]();
      reject(signal?.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), maxTimerDelayMs));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  sleep(delayMs, options) {
    return sleepOn(this, delayMs, options?.signal);
  },
};
