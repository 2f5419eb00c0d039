import type { Clock } from '@starling/clock';
import { counter, type Logger } from '@starling/telemetry';

/** Clocks this far apart are told of: a deadline is that much too early or too late. */
const toleratedMs = 2_000;
/** A delayed message looks like a skewed clock; several in a row do not all come late. */
const leastWords = 3;
const windowMs = 10_000;
/** Told again after this long while it lasts. */
const tellEveryMs = 60_000;
/** As many as there may be workers. */
const maxSources = 2_000;

/** Longer than any setting of a job's deadline. */
const mostLeftMs = 660_000;

const skewed = counter('starling.clock.skewed');

interface Heard {
  /** Of the distances that were heard in this window, the least. */
  leastMs: number;
  words: number;
  toldAtMs: number;
}

interface ClockWatchParts {
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch as deadlines are compared with. */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Compares other hosts' clocks with ours, by what they say when. Deadlines are wall-clock times of the
 * process that accepted a job, and are kept by the worker's and the balancer's clocks: hosts have to
 * agree on the time, by NTP, and where they do not somebody is told.
 */
export class ClockWatch {
  readonly #parts: ClockWatchParts;
  readonly #sources = new Map<string, Heard>();
  #windowEndsAtMs = windowMs;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
  }

  /** Somebody says what time it is, a moment ago. */
  heard(source: string, atMs: number): void {
    this.#note(source, this.#parts.now() - atMs);
  }

  #note(source: string, aheadMs: number): void {
    let known = this.#sources.get(source);
    if (!known) {
      if (this.#sources.size >= maxSources) return;
      known = { leastMs: Number.POSITIVE_INFINITY, words: 0, toldAtMs: Number.NEGATIVE_INFINITY };
      this.#sources.set(source, known);
    }
    known.words += 1;
    if (Math.abs(aheadMs) < Math.abs(known.leastMs)) known.leastMs = aheadMs;
  }

  /**
   * A job was stored just now. Of the clock that set its deadline no more is known than that jobs have
   * time left when they are stored, and not hours of it.
   */
  stored(of: { owner: string; deadlineAtMs: number; storedAtMs: number }): void {
    const { deadlineAtMs, owner, storedAtMs } = of;
    this.heard('nats', storedAtMs);
    const leftMs = deadlineAtMs - storedAtMs;
    const beyondMs = Math.max(0, leftMs - mostLeftMs);
    this.#note(`owner ${owner}`, leftMs <= 0 ? toleratedMs - leftMs : -beyondMs);
  }

  /** To be called several times a second. */
  look(): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#windowEndsAtMs) return;
    this.#windowEndsAtMs = nowMs + windowMs;
    for (const [source, heard] of this.#sources) {
      const { leastMs, toldAtMs, words } = heard;
      if (words === 0) this.#sources.delete(source);
      heard.words = 0;
      heard.leastMs = Number.POSITIVE_INFINITY;
      if (words < leastWords || Math.abs(leastMs) < toleratedMs) continue;
      if (nowMs - toldAtMs < tellEveryMs) continue;
      heard.toldAtMs = nowMs;
      skewed.add(1, { source: source.split(' ')[0] ?? source });
      log.warn('clock.skewed', { source, behindMs: Math.round(leastMs) });
    }
  }
}
