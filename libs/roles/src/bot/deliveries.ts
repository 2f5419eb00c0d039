import type { JobId } from '@starling/contracts';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import type { Logger } from '@starling/telemetry';
import { type DeliverParts, type Delivery, deliverEnd } from './deliver-end.ts';

/** Ends written to Discord at once; further ones wait. */
const maxActive = 200;
/** Ends that wait; `JOBS` holds no more. One beyond is told again by its balancer. */
const maxWaiting = 20_000;
/** An end that Discord or a store would not take is tried again for so long; then a balancer reminds us. */
const retryForMs = 60_000;
const backoff: Backoff = { baseMs: 500, capMs: 5_000 };

interface Active {
  readonly delivering: Promise<void>;
  /** Its place in `JOBS`, when it was asked for again in the meantime. */
  again: number | undefined;
}

/** The ends that one cluster is delivering, each once at a time. */
export class Deliveries {
  readonly #parts: DeliverParts & { readonly logger: Logger };
  readonly #waiting = new Map<JobId, number>();
  readonly #active = new Map<JobId, Active>();
  readonly #leaving = new AbortController();

  constructor(parts: DeliverParts & { readonly logger: Logger }) {
    this.#parts = parts;
  }

  /** Ends that are being written. */
  get active(): number {
    return this.#active.size;
  }

  /** A job has ended, or may have: looks, and delivers. `stored` is its place in `JOBS`. */
  look(jobId: JobId, stored: number): void {
    const active = this.#active.get(jobId);
    if (active) {
      // Its ledger may have been read just before the end that this call tells of.
      active.again = stored;
      return;
    }
    if (this.#waiting.size >= maxWaiting) return;
    this.#waiting.set(jobId, stored);
    this.#pump();
  }

  /** Tries nothing again from now on; resolves when nothing is being delivered. */
  async settle(): Promise<void> {
    this.#leaving.abort();
    this.#waiting.clear();
    await Promise.all([...this.#active.values()].map(({ delivering }) => delivering));
  }

  #pump(): void {
    for (const [jobId, stored] of this.#waiting) {
      if (this.#active.size >= maxActive || this.#leaving.signal.aborted) return;
      this.#waiting.delete(jobId);
      const delivering = this.#deliver(jobId, stored).then((came) => {
        const { again } = this.#active.get(jobId) ?? {};
        this.#active.delete(jobId);
        if (came === 'unended' && again !== undefined) this.look(jobId, again);
        else this.#pump();
      });
      this.#active.set(jobId, { delivering, again: undefined });
    }
  }

  /** Tries until it is delivered or found not to have ended, or for a while. Never rejects. */
  async #deliver(jobId: JobId, stored: number): Promise<Delivery> {
    const { clock, logger, random } = this.#parts;
    const { signal } = this.#leaving;
    const giveUpAtMs = clock.monotonicMs() + retryForMs;
    for (let failures = 1; ; failures += 1) {
      try {
        const came = await deliverEnd(this.#parts, jobId, stored);
        if (came !== 'busy') return came;
      } catch (error) {
        logger.debug('delivery.unread', { jobId, error });
      }
      const waitMs = fullJitterMs(backoff, failures, random);
      if (signal.aborted || clock.monotonicMs() + waitMs >= giveUpAtMs) break;
      await clock.sleep(waitMs, { signal }).catch(() => {});
      if (signal.aborted) break;
    }
    logger.warn('delivery.left', { jobId });
    return 'busy';
  }
}
