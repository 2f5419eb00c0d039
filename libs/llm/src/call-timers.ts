/**
 * The timers of one call (features C3), all on one clock: first token, idle, total, hard cap. One
 * armed timer serves them all; a token only notes its time, since it can but move the end further
 * away.
 */
import type { Clock } from '@starling/clock';
import type { ProviderFault } from './provider-fault.ts';

/** Durations in milliseconds. */
export interface CallLimits {
  readonly firstTokenTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** From here on a pause of {@link flowingPauseMs} ends the call. */
  readonly totalTimeoutMs: number;
  /** The end even while tokens flow. */
  readonly hardCapMs: number;
}

/** Tokens flow as long as no pause between two is longer. */
const flowingPauseMs = 1_000;

interface End {
  readonly atMs: number;
  readonly detail: 'first_token_timeout' | 'idle_timeout' | 'total_timeout';
}

/** Ends a call in time. Armed from the start; dispose it when the call has ended. */
export class CallTimers implements Disposable {
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #onEnd: (fault: ProviderFault) => void;
  readonly #startedAtMs: number;
  #lastTokenAtMs: number | undefined;
  #timer: Disposable | undefined;

  /** @param onEnd called once, when the call has run out of time */
  constructor(clock: Clock, limits: CallLimits, onEnd: (fault: ProviderFault) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#startedAtMs = clock.monotonicMs();
    this.#arm();
  }

  /** Something of the answer came, reasoning included. A keep-alive comment is nothing. */
  token(): void {
    this.#lastTokenAtMs = this.#clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(this.#end().atMs - this.#clock.monotonicMs(), () => {
      const { atMs, detail } = this.#end();
      if (this.#clock.monotonicMs() < atMs) this.#arm();
      else this.#onEnd({ code: 'provider_timeout', retryable: true, detail });
    });
  }

  #end(): End {
    const started = this.#startedAtMs;
    const last = this.#lastTokenAtMs;
    const { firstTokenTimeoutMs, idleTimeoutMs, totalTimeoutMs, hardCapMs } = this.#limits;
    const pause: End =
      last === undefined
        ? { atMs: started + firstTokenTimeoutMs, detail: 'first_token_timeout' }
        : { atMs: last + idleTimeoutMs, detail: 'idle_timeout' };
    const flowing = last === undefined ? 0 : last + flowingPauseMs;
    const total = Math.min(started + hardCapMs, Math.max(started + totalTimeoutMs, flowing));
    return total < pause.atMs ? { atMs: total, detail: 'total_timeout' } : pause;
  }
}
