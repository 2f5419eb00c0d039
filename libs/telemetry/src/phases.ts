import type { Span } from '@opentelemetry/api';
import type { Clock } from '@starling/clock';
import type { PhaseName, PhaseTimes } from '@starling/contracts';
import { histogram } from './instruments.ts';
import { attributeNames, spanNames } from './names.ts';
import { type PastSpan, recordSpan, type SpanOptions, withSpan } from './spans.ts';

const phaseDuration = histogram('starling.phase.duration');

/** Options of a phase's span; its kind and attributes, mostly. */
export type PhaseOptions = Omit<SpanOptions, 'root'>;

/**
 * The phases of one message as one process sees them (features A2). A phase appears only by work:
 * there is no way to name one without running it or bringing its measured time. Done twice, its
 * times add up, while span and histogram keep each.
 */
export class PhaseTimeline {
  readonly #clock: Clock;
  readonly #role: string | undefined;
  readonly #times = new Map<PhaseName, number>();

  /** @param role whose phases these are; the active context's unless given */
  constructor(clock: Clock, role?: string) {
    this.#clock = clock;
    this.#role = role;
  }

  /** Runs a phase inside its span and measures it; a phase that throws took its time too. */
  async run<T>(
    phase: PhaseName,
    fn: (span: Span) => Promise<T> | T,
    options: PhaseOptions = {},
  ): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    let outcome: 'ok' | 'error' = 'error';
    try {
      const value = await withSpan(spanNames[phase], this.#inRole(options), fn);
      outcome = 'ok';
      return value;
    } finally {
      this.#measured(phase, this.#clock.monotonicMs() - startMs, outcome);
    }
  }

  /** A phase that is known only when it is over, such as the wait in a queue. */
  record(phase: PhaseName, past: Omit<PastSpan, 'root'>): void {
    recordSpan(spanNames[phase], this.#inRole(past));
    this.#measured(phase, Math.max(0, past.endMs - past.startMs), 'ok');
  }

  /**
   * Takes over a time that another process measured, and gave a span and a histogram record there.
   * @param ms milliseconds
   */
  add(phase: PhaseName, ms: number): void {
    this.#times.set(phase, (this.#times.get(phase) ?? 0) + ms);
  }

  /** Milliseconds by phase, so far, to the microsecond. */
  get times(): PhaseTimes {
    const times: PhaseTimes = {};
    for (const [phase, ms] of this.#times) times[phase] = Math.round(ms * 1000) / 1000;
    return times;
  }

  #measured(phase: PhaseName, ms: number, outcome: 'ok' | 'error'): void {
    this.add(phase, ms);
    phaseDuration.record(ms, { [attributeNames.phase]: phase, outcome });
  }

  #inRole<O extends PhaseOptions>(options: O): O {
    return this.#role === undefined ? options : { ...options, role: this.#role };
  }
}
