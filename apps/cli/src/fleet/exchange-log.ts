import type { Clock } from '@starling/clock';
import type { Exchange } from '@starling/contracts';

/** How many exchanges are kept; the oldest goes first. */
const maxExchanges = 200;

/** How long after its exchange an answer may be looked at: `say` takes a fifth of it. */
const readingMs = 1_000;

/** How many callers may wait for an exchange at once; one more is refused. */
const maxWaiters = 100;

/** How many questions were answered since the start, and how many of them by the call of another one. */
export interface AnswerCounts {
  readonly answered: number;
  readonly shared: number;
}

/** The last exchanges of a running fleet, for the start screen, `say` and the demo. */
export class ExchangeLog {
  readonly #clock: Clock;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  readonly #byJob = new Map<string, Exchange>();
  readonly #waiters = new Set<{ readonly jobId: string; resolve(exchange: Exchange): void }>();

  #counts: AnswerCounts = { answered: 0, shared: 0 };

  readonly #listeners: ((exchange: Exchange) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back for every exchange from now on. */
  onAdd(listener: (exchange: Exchange) => void): void {
    this.#listeners.push(listener);
  }

  get counts(): AnswerCounts {
    return this.#counts;
  }

  add(exchange: Exchange): void {
    const { ending } = exchange;
    if (ending.kind === 'answered' && !this.#byJob.has(exchange.jobId)) {
      const { answered, shared } = this.#counts;
      this.#counts = { answered: answered + 1, shared: shared + Number(ending.shared ?? false) };
    }
    this.#lastAtMs = this.#clock.monotonicMs();
    this.#byJob.delete(exchange.jobId);
    this.#byJob.set(exchange.jobId, exchange);
    const [oldest] = this.#byJob.keys();
    if (this.#byJob.size > maxExchanges && oldest !== undefined) this.#byJob.delete(oldest);
    for (const waiter of this.#waiters) {
      if (waiter.jobId === exchange.jobId) waiter.resolve(exchange);
    }
    for (const listener of this.#listeners) listener(exchange);
  }

  /**
   * Resolves when the last exchange has been over for {@link readingMs}: whoever waited for it looks
   * at the answer then, in a Discord of ours that must not end before.
   */
  async read(): Promise<void> {
    const leftMs = this.#lastAtMs + readingMs - this.#clock.monotonicMs();
    if (leftMs > 0) await this.#clock.sleep(leftMs);
  }

  /** Newest first. */
  recent(count: number): readonly Exchange[] {
    return [...this.#byJob.values()].reverse().slice(0, count);
  }

  /** The exchange of a job as soon as it has ended, or undefined at the timeout or the waiters' bound. */
  async wait(jobId: string, timeoutMs: number): Promise<Exchange | undefined> {
    const known = this.#byJob.get(jobId);
    if (known || this.#waiters.size >= maxWaiters) return known;
    const { promise, resolve } = Promise.withResolvers<Exchange | undefined>();
    const waiter = { jobId, resolve };
    this.#waiters.add(waiter);
    using _timer = this.#clock.schedule(timeoutMs, () => resolve(undefined));
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
