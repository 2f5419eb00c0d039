/**
 * How many calls a worker has in flight at the provider, between two bounds: one more a second while
 * answers begin as soon as they use to and every slot is in use, a quarter fewer when they begin late
 * or the provider fails (additive increase, multiplicative decrease: Chiu and Jain 1989; here on the
 * time to the first token, since a stream's length says nothing of the provider's load). A slow
 * provider is not throttled to ruin: when half the calls begin no sooner, the lateness is not our
 * doing, becomes what is usual, and the former limit is back (features B9).
 *
 * A worker whose own process is starved sees first tokens late that came in time. It knows by its own ticks:
 * while they come late for a tenth of the time, a lateness that they can account for says nothing.
 */

/** What a {@link SlotLimit} goes by; times in milliseconds. */
interface SlotLimitRules {
  /** First tokens are judged together once there are `samples` of them and this much time has passed, … */
  readonly windowMs: number;
  /** … or once there are `fewSamples` after this long. */
  readonly longWindowMs: number;
  readonly samples: number;
  readonly fewSamples: number;
  /** Answers begin late when the median of a window is this many times what is usual, … */
  readonly lateRatio: number;
  /** … and this much later: of quick models a few milliseconds are no sign. */
  readonly lateMs: number;
  /** At this many times what is usual the limit is high enough: it stays. */
  readonly holdRatio: number;
  /** Own ticks that were late for this share of a window, together, make it doubtful … */
  readonly starvedShare: number;
  /** … as far as answers were later by no more than this many times the latest of them. A call waits for its
   * turn when it is sent, when its answer begins and when its text is read. */
  readonly turns: number;
  /** Share of calls of a window that the provider failed, from which on it is overloaded. */
  readonly failedShare: number;
  /** What is left of the limit after a decrease. */
  readonly decrease: number;
}

const defaultSlotLimitRules: SlotLimitRules = {
  windowMs: 1_000,
  longWindowMs: 5_000,
  samples: 8,
  fewSamples: 4,
  lateRatio: 1.5,
  lateMs: 25,
  holdRatio: 1.2,
  starvedShare: 0.1,
  turns: 3,
  failedShare: 0.3,
  decrease: 0.75,
};

/** The first token of a call. */
export interface FirstToken {
  readonly model: string;
  readonly afterMs: number;
}

interface Usual {
  ms: number;
}

interface Window {
  readonly sinceMs: number;
  /** By model, how many times what is usual; and how long. */
  readonly late: { readonly model: string; readonly ratio: number; readonly overMs: number }[];
  ended: number;
  failed: number;
  peak: number;
  /** By how much own ticks were late: together, and at most. */
  lagMs: number;
  mostLagMs: number;
}

/** First tokens remembered of one window: enough for its median. */
const maxSamples = 256;
/** Models whose usual time is remembered; the one learned first is forgotten. */
const maxModels = 64;
/** How far what is usual follows a window that was quicker, and one that was slower. */
const follow = { quicker: 0.2, slower: 0.05 };

/** See the module's header. */
export class SlotLimit {
  readonly #slots: number;
  readonly #min: number;
  readonly #rules = defaultSlotLimitRules;
  readonly #usual = new Map<string, Usual>();
  #limit: number;
  #window: Window;
  readonly #tickMs: number;
  #lookedAtMs: number;
  /** Calls that began before tell of the limit before. */
  #changedAtMs = Number.NEGATIVE_INFINITY;
  /** The first decrease of a row of them: what it began from, and how late answers were. */
  #fall: { readonly from: number; readonly ratio: number } | undefined;

  /**
   * @param bounds calls in flight at most and, however late answers begin, at least; without `minSlots`
   * the limit never moves
   * @param bounds.tickMs between two looks, unless the process is starved
   */
  constructor(
    bounds: { readonly slots: number; readonly minSlots?: number; readonly tickMs: number },
    nowMs: number,
  ) {
    const { minSlots = bounds.slots, slots, tickMs } = bounds;
    this.#tickMs = tickMs;
    this.#lookedAtMs = nowMs;
    this.#slots = slots;
    this.#min = Math.min(slots, Math.max(1, minSlots));
    this.#limit = slots;
    this.#window = newWindow(nowMs);
  }

  /** Calls that may be in flight now. */
  get value(): number {
    return Math.floor(this.#limit);
  }

  /** A call began: so many are in flight now. */
  began(inFlight: number): void {
    this.#window.peak = Math.max(this.#window.peak, inFlight);
  }

  firstToken({ afterMs, model }: FirstToken, nowMs: number): void {
    if (nowMs - afterMs < this.#changedAtMs) return;
    const usual = this.#usualOf(model, afterMs);
    const { late } = this.#window;
    if (late.length >= maxSamples) return;
    late.push({ model, ratio: afterMs / Math.max(1, usual.ms), overMs: afterMs - usual.ms });
  }

  /** A call ended. @param failed the provider is to blame */
  ended(failed: boolean): void {
    this.#window.ended += 1;
    this.#window.failed += Number(failed);
  }

  /** Judges what was seen; to be called at every tick. @param inFlight calls now */
  look(inFlight: number, nowMs: number): void {
    this.began(inFlight);
    this.#noteLag(nowMs);
    const { failedShare, fewSamples, longWindowMs, samples, windowMs } = this.#rules;
    const { ended, failed, late, sinceMs } = this.#window;
    const seen = Math.max(late.length, failed);
    const ageMs = nowMs - sinceMs;
    const enough =
      (seen >= samples && ageMs >= windowMs) || (seen >= fewSamples && ageMs >= longWindowMs);
    if (!enough) {
      // Too little happens to say anything; what is older is forgotten.
      if (ageMs >= 2 * longWindowMs) this.#window = newWindow(nowMs);
      return;
    }
    const median = medianOf(late);
    const failing = failed >= fewSamples && failed >= failedShare * ended;
    const isLate = median.ratio > this.#rules.lateRatio && median.overMs > this.#rules.lateMs;
    const isNews = failing || !this.#isOurs(median.overMs, ageMs);
    if (failing) this.#decrease(undefined, nowMs);
    else if (isNews && isLate) this.#decrease(median.ratio, nowMs);
    else if (isNews) this.#increase(median.ratio < this.#rules.holdRatio);
    this.#window = newWindow(nowMs);
  }

  #noteLag(nowMs: number): void {
    const lagMs = Math.max(0, nowMs - this.#lookedAtMs - this.#tickMs);
    this.#lookedAtMs = nowMs;
    this.#window.lagMs += lagMs;
    this.#window.mostLagMs = Math.max(this.#window.mostLagMs, lagMs);
  }

  /** Whether the process itself may have made answers so late: then the window is no news, good or bad. */
  #isOurs(overMs: number, ageMs: number): boolean {
    const { starvedShare, turns } = this.#rules;
    const { lagMs, mostLagMs } = this.#window;
    return lagMs >= starvedShare * ageMs && overMs <= turns * mostLagMs;
  }

  #decrease(lateRatio: number | undefined, nowMs: number): void {
    const { decrease } = this.#rules;
    this.#fall ??= { from: this.value, ratio: lateRatio ?? Number.POSITIVE_INFINITY };
    const { from, ratio } = this.#fall;
    this.#changedAtMs = nowMs;
    const halved = this.value <= Math.max(this.#min, from / 2);
    if (lateRatio !== undefined && halved && lateRatio > 0.8 * ratio) {
      // Half as many calls begin as late: this is how the provider is now.
      for (const usual of this.#usual.values()) usual.ms *= lateRatio;
      this.#limit = from;
      this.#fall = undefined;
      return;
    }
    const used = Math.min(this.value, Math.max(this.#window.peak, this.#min));
    this.#limit = Math.max(this.#min, used * decrease);
  }

  #increase(timely: boolean): void {
    this.#fall = undefined;
    const binding = this.#window.peak >= this.value;
    this.#learn(binding);
    if (binding && timely) this.#limit = Math.min(this.#slots, this.value + 1);
  }

  /** What is usual follows what was seen; a lateness that our own limit may have caused is not usual. */
  #learn(binding: boolean): void {
    const byModel = new Map<string, number[]>();
    for (const { model, ratio } of this.#window.late) {
      byModel.set(model, [...(byModel.get(model) ?? []), ratio]);
    }
    for (const [model, ratios] of byModel) {
      const usual = this.#usual.get(model);
      if (!usual) continue;
      const ratio = median(ratios);
      if (ratio < 1) usual.ms *= 1 + follow.quicker * (ratio - 1);
      else if (!binding) usual.ms *= 1 + follow.slower * (ratio - 1);
    }
  }

  #usualOf(model: string, afterMs: number): Usual {
    let usual = this.#usual.get(model);
    if (!usual) {
      const [oldest] = this.#usual.keys();
      if (this.#usual.size >= maxModels && oldest !== undefined) this.#usual.delete(oldest);
      usual = { ms: afterMs };
      this.#usual.set(model, usual);
    }
    return usual;
  }
}

function newWindow(sinceMs: number): Window {
  return { sinceMs, late: [], ended: 0, failed: 0, peak: 0, lagMs: 0, mostLagMs: 0 };
}

function medianOf(late: Window['late']): { readonly ratio: number; readonly overMs: number } {
  if (late.length === 0) return { ratio: 1, overMs: 0 };
  return {
    ratio: median(late.map(({ ratio }) => ratio)),
    overMs: median(late.map(({ overMs }) => overMs)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 1;
}
