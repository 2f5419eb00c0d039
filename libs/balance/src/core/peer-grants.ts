/**
 * Grants that lie with other balancers, by the workers' reports and by the peers' word that they took a
 * job. A holder with work spends its grant within a hop or two; one that lets it lie has nothing to run
 * there. Whoever has may then spend it in its place, since a worker takes any request while it has a free
 * slot. Should the holder spend it at that very moment, the later of the two is refused and loses a hop.
 */
import type { BalancerId, LoadReport, WorkerId } from '@starling/contracts';

/** Free slots of one worker that one peer holds, and since when it has let some of them lie. */
interface Lying {
  left: number;
  readonly sinceMs: number;
}

/** See the module's header. Bounded by the workers and balancers that are listened to. */
export class PeerGrants {
  readonly #self: BalancerId;
  readonly #workers = new Map<WorkerId, Map<BalancerId, Lying>>();

  constructor(self: BalancerId) {
    this.#self = self;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Workers with grants that lie. */
  get workers(): Iterable<WorkerId> {
    return this.#workers.keys();
  }

  /** A report that is newer than what was known. */
  report({ workerId, draining, grants = {} }: LoadReport, nowMs: number): void {
    const before = this.#workers.get(workerId);
    const holders = before ?? new Map<BalancerId, Lying>();
    for (const holder of holders.keys()) if (!(holder in grants)) holders.delete(holder);
    for (const holder in grants) {
      const left = grants[holder as BalancerId];
      if (holder === this.#self || left === undefined) continue;
      const known = holders.get(holder as BalancerId);
      if (known) known.left = left;
      else holders.set(holder as BalancerId, { left, sinceMs: nowMs });
    }
    if (draining || holders.size === 0) this.#workers.delete(workerId);
    else if (!before) this.#workers.set(workerId, holders);
  }

  /**
   * `by` asked the worker for a slot: that was its own grant, or where it has none the richest one's.
   * @returns whether there was one
   */
  spent(workerId: WorkerId, by: BalancerId): boolean {
    const holders = this.#workers.get(workerId);
    if (!holders) return false;
    const holder = holders.has(by) ? by : richestOf(holders);
    const lying = holder && holders.get(holder);
    if (!holder || !lying) return false;
    lying.left -= 1;
    if (lying.left <= 0) holders.delete(holder);
    if (holders.size === 0) this.#workers.delete(workerId);
    return true;
  }

  /** Nothing is known of the worker until it reports again. */
  forget(workerId: WorkerId): void {
    this.#workers.delete(workerId);
  }

  /** Since when a grant of this worker lies; infinite when none does. */
  lyingSinceMs(workerId: WorkerId): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { sinceMs } of this.#workers.get(workerId)?.values() ?? []) {
      firstMs = Math.min(firstMs, sinceMs);
    }
    return firstMs;
  }
}

/** Whose grant the worker takes from one that holds none. */
function richestOf(holders: ReadonlyMap<BalancerId, Lying>): BalancerId | undefined {
  let richest: BalancerId | undefined;
  let most = 0;
  for (const [holder, { left }] of holders) {
    if (left <= most) continue;
    richest = holder;
    most = left;
  }
  return richest;
}
