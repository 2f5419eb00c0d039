/**
 * What one process may use of a shared limit while it cannot see what the others use. Pure.
 *
 * Of a window every process takes a like part, but no more than what it used itself when it last saw
 * the shared bucket and a like part of what was free then: until a window has passed since, what the
 * others used counts too. So all together stay within the limit in every window, the one in which Redis
 * went away included. What was used since it looked is reckoned by the pace of the second before.
 */
import type { BucketLimit } from './bucket-limit.ts';

export interface LastSeen {
  /** Held and used by the whole fleet. */
  readonly level: number;
  /** Of that, by this process. */
  readonly own: number;
}

/** A limit whose permits are this process's part of `limit`. */
export function shareOf(
  limit: BucketLimit,
  fleet: {
    /** Live processes that share it, 1 at least. */
    readonly processes: number;
    /** When it was seen last, if that is less than a window ago. */
    readonly seen: LastSeen | undefined;
  },
): BucketLimit {
  const { processes, seen } = fleet;
  const part = Math.floor(limit.permits / processes);
  switch (limit.kind) {
    case 'window': {
      if (!seen) return { ...limit, permits: part };
      const free = Math.max(0, limit.permits - seen.level);
      return { ...limit, permits: Math.min(part, seen.own + Math.floor(free / processes)) };
    }
    case 'concurrency':
      // One place at least, or a small limit would let nobody in.
      return { ...limit, permits: Math.max(1, part) };
    case 'rate':
      // A burst of one at least, or nothing would ever be let through.
      return {
        ...limit,
        perMs: limit.perMs * processes,
        burst: Math.max(1, Math.floor(limit.burst / processes)),
      };
    case 'period':
      // Money that nobody can count is not spent.
      return { ...limit, permits: limit.money ? 0 : part };
  }
}
