/**
 * What Redis' clock shows, as far as its replies tell: never later than it really is. The reply with
 * the shortest way back tells it best.
 */
export class ServerTime {
  /** Server's wall clock minus our monotonic one; undefined until the first reply. */
  #offsetMs: number | undefined;
  #learnedAtMs = 0;

  /** @param reply.atMs our monotonic time when it came */
  learn(reply: { readonly serverMs: number; readonly atMs: number }): void {
    const offsetMs = reply.serverMs - reply.atMs;
    const isStale = reply.atMs - this.#learnedAtMs > freshMs;
    if (this.#offsetMs !== undefined && offsetMs < this.#offsetMs && !isStale) return;
    this.#offsetMs = offsetMs;
    this.#learnedAtMs = reply.atMs;
  }

  /** The server's clock at a moment of ours, to the whole millisecond. */
  at(monotonicMs: number): number | undefined {
    return this.#offsetMs === undefined ? undefined : Math.floor(this.#offsetMs + monotonicMs);
  }
}

/** Clocks drift and are set: what was learned is believed for so long. */
const freshMs = 30_000;
