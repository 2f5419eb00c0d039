/**
 * The wait between a message's arrival and its handler, the same for both adapters: bounded, in
 * order, at most `concurrency` handlers at once, and never inside the sender's call.
 */

/** What a {@link HandlerQueue} needs. */
export interface HandlerQueueOptions<Item> {
  readonly handle: (item: Item) => void | Promise<void>;
  /** Handlers that may run at once. */
  readonly concurrency: number;
  /** Items that may wait; beyond it the oldest is dropped. */
  readonly maxPending: number;
  /** @param total how many were dropped so far, this one among them */
  readonly onDropped: (total: number) => void;
  readonly onError: (error: unknown, item: Item) => void;
}

/** See the module's header. */
export class HandlerQueue<Item> {
  readonly #options: HandlerQueueOptions<Item>;
  #waiting: Item[] = [];
  /** Index of the next item in `#waiting`: moved on instead of shifting the array at each message. */
  #next = 0;
  #running = 0;
  #dropped = 0;
  #scheduled = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: HandlerQueueOptions<Item>) {
    this.#options = options;
  }

  /** Items waiting for a handler. */
  get pending(): number {
    return this.#waiting.length - this.#next;
  }

  /** Takes an item in; its handler starts in a later microtask. */
  push(item: Item): void {
    this.#waiting.push(item);
    while (this.pending > this.#options.maxPending) {
      this.#shift();
      this.#dropped += 1;
      this.#options.onDropped(this.#dropped);
    }
    this.#schedule();
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    if (this.pending === 0 && this.#running === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Drops what waits, without a handler, and says how much that was. What runs goes on. */
  clear(): number {
    const dropped = this.pending;
    this.#waiting = [];
    this.#next = 0;
    this.#settleIdle();
    return dropped;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    while (this.#running < this.#options.concurrency) {
      const next = this.#shift();
      if (next === undefined) break;
      this.#start(next.item);
    }
    this.#settleIdle();
  }

  #start(item: Item): void {
    this.#running += 1;
    const finished = () => {
      this.#running -= 1;
    };
    try {
      const outcome = this.#options.handle(item);
      if (!(outcome instanceof Promise)) {
        finished();
        return;
      }
      outcome.then(
        () => {
          finished();
          this.#run();
        },
        (error: unknown) => {
          finished();
          this.#options.onError(error, item);
          this.#run();
        },
      );
    } catch (error) {
      finished();
      this.#options.onError(error, item);
    }
  }

  /** The next item, boxed so that an item that is `undefined` is still one. */
  #shift(): { readonly item: Item } | undefined {
    if (this.#next >= this.#waiting.length) return undefined;
    const item = this.#waiting[this.#next] as Item;
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    } else if (this.#next >= 1024 && this.#next * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return { item };
  }

  #settleIdle(): void {
    if (this.pending > 0 || this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
