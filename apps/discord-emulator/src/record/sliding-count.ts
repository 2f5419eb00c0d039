/** Counts what happened in a sliding window, for many keys at once. */
export interface SlidingCount {
  /** @returns how many, this one included, fall into the window that ends at `atMs` */
  add(key: string, atMs: number): number;
}

/** Keys remembered; the one that was used longest ago goes, and its count starts anew. */
const maxKeys = 10_000;

/** @param window asked each time, so that a knob may change it */
export function createSlidingCount(
  window: () => { readonly limit: number; readonly perMs: number },
): SlidingCount {
  const timesByKey = new Map<string, number[]>();
  return {
    add(key, atMs) {
      const { limit, perMs } = window();
      const recent = (timesByKey.get(key) ?? []).filter((time) => time > atMs - perMs);
      recent.push(atMs);
      // Past the limit only the fact counts: one more than the limit is all that is kept.
      if (recent.length > limit + 1) recent.shift();
      timesByKey.delete(key);
      timesByKey.set(key, recent);
      if (timesByKey.size > maxKeys) {
        for (const oldest of timesByKey.keys()) {
          timesByKey.delete(oldest);
          break;
        }
      }
      return recent.length;
    },
  };
}
