/** One job of a recorded run, milliseconds. */
export interface RecordedJob {
  readonly arrivedMs: number;
  readonly serviceMs: number;
}

/**
 * How long each job would have waited in an ideal fleet: one queue in the order of arrival, no hops,
 * and whichever slot is free first takes its head. The same arrivals and service times as recorded,
 * so that what a real fleet's waits are above these is the fleet's own.
 * @returns waits in milliseconds, in the order of the jobs given
 */
export function centralQueueWaits(jobs: readonly RecordedJob[], slots: number): readonly number[] {
  const waits = new Array<number>(jobs.length).fill(0);
  const freeAtMs = new Array<number>(slots).fill(Number.NEGATIVE_INFINITY);
  const order = jobs.map((job, index) => ({ ...job, index }));
  order.sort((a, b) => a.arrivedMs - b.arrivedMs);
  for (const { arrivedMs, serviceMs, index } of order) {
    let first = 0;
    for (let slot = 1; slot < slots; slot += 1) {
      if ((freeAtMs[slot] ?? 0) < (freeAtMs[first] ?? 0)) first = slot;
    }
    const startMs = Math.max(arrivedMs, freeAtMs[first] ?? 0);
    freeAtMs[first] = startMs + serviceMs;
    waits[index] = startMs - arrivedMs;
  }
  return waits;
}
