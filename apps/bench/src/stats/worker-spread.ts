import type { Random } from '@starling/clock';

/** One job on one worker, milliseconds. */
export interface WorkerJob {
  readonly worker: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** (most − fewest) / mean of the jobs that each worker completed, per cent. */
export function spreadPercent(jobs: readonly WorkerJob[], workers: readonly string[]): number {
  const counts = workers.map((worker) => jobs.filter((job) => job.worker === worker).length);
  const mean = jobs.length / workers.length;
  return (100 * (Math.max(...counts) - Math.min(...counts))) / mean;
}

/**
 * For each start, how many jobs more the chosen worker had in flight than the least loaded one: 0
 * where the choice was exact. Ends come before starts of the same millisecond.
 */
export function startsAboveLeast(
  jobs: readonly WorkerJob[],
  workers: readonly string[],
): readonly number[] {
  const inFlight = new Map(workers.map((worker) => [worker, 0]));
  const above: number[] = [];
  walk(jobs, (event, { worker }) => {
    const now = inFlight.get(worker) ?? 0;
    if (event === 'start') above.push(now - Math.min(...inFlight.values()));
    inFlight.set(worker, now + (event === 'start' ? 1 : -1));
  });
  return above;
}

/**
 * The same jobs given to the least loaded worker by one that sees everything, random among equals:
 * the spread that chance alone leaves.
 */
export function idealAssignment(
  jobs: readonly Omit<WorkerJob, 'worker'>[],
  workers: readonly string[],
  random: Random,
): readonly WorkerJob[] {
  const inFlight = new Map(workers.map((worker) => [worker, 0]));
  const assigned = new Map<object, string>();
  walk(jobs, (event, job) => {
    if (event === 'end') {
      const worker = assigned.get(job) ?? '';
      inFlight.set(worker, (inFlight.get(worker) ?? 0) - 1);
      return;
    }
    const least = Math.min(...inFlight.values());
    const equals = workers.filter((worker) => inFlight.get(worker) === least);
    const worker = equals[random.integer(equals.length)] ?? '';
    assigned.set(job, worker);
    inFlight.set(worker, least + 1);
  });
  return jobs.map((job) => ({ ...job, worker: assigned.get(job) ?? '' }));
}

/** Starts and ends in the order of time. A job without length starts before it ends. */
function walk<Job extends Omit<WorkerJob, 'worker'>>(
  jobs: readonly Job[],
  visit: (event: 'start' | 'end', job: Job) => void,
): void {
  const events = jobs.flatMap((job) => [
    { event: 'start' as const, atMs: job.startMs, job },
    { event: 'end' as const, atMs: Math.max(job.endMs, job.startMs + 1), job },
  ]);
  events.sort(
    (a, b) => a.atMs - b.atMs || (a.event === 'end' ? 0 : 1) - (b.event === 'end' ? 0 : 1),
  );
  for (const { event, job } of events) visit(event, job);
}
