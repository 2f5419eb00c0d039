/**
 * Least connections by full scan. With few slots a worker and jobs of seconds, a sample of two is
 * the wrong tool (its p99 queue wait was 100 times that of a full scan in our simulation), and
 * "the first minimum" sends 300 sequential requests to one of three idle workers: equals are drawn
 * at random.
 */
import type { Random } from '@starling/clock';
import type { WorkerId } from '@starling/contracts';
import type { WorkerLoad } from './fleet-view.ts';

/** Why a worker was or was not chosen. */
export type CandidateVerdict =
  | 'chosen'
  /** As little loaded as the chosen one; the draw went against it. */
  | 'equal'
  | 'busier'
  | 'full'
  | 'tried'
  | 'draining'
  | 'dead';

/** One worker in an explanation. */
export interface Candidate {
  readonly workerId: WorkerId;
  readonly slots: number;
  readonly inFlight: number;
  readonly verdict: CandidateVerdict;
}

/** A choice as data (features B10): enough to say later why this worker and not another. */
export interface Explanation {
  readonly strategy: 'least_connections';
  /** How many workers there were of each verdict. */
  readonly counts: Readonly<Partial<Record<CandidateVerdict, number>>>;
  /** The chosen worker first, then others in the order of the scan, {@link maxExplained} at most. */
  readonly candidates: readonly Candidate[];
}

/** The outcome of a choice. `none` says what stands in the way, the most hopeful reason first. */
export type Choice =
  | { readonly kind: 'chosen'; readonly workerId: WorkerId; readonly explanation: Explanation }
  | {
      readonly kind: 'none';
      readonly reason: 'all_full' | 'all_tried' | 'all_draining' | 'no_live_worker';
      readonly explanation: Explanation;
    };

/** An explanation rides on a span, so it lists at most this many workers; the counts have all. */
export const maxExplained = 16;

/** Why a worker cannot be chosen at all, or `undefined`. */
function obstacle(
  worker: WorkerLoad,
  exclude: ReadonlySet<WorkerId>,
): Exclude<CandidateVerdict, 'chosen' | 'equal' | 'busier'> | undefined {
  if (worker.state.kind !== 'serving') return worker.state.kind;
  if (exclude.has(worker.workerId)) return 'tried';
  return worker.inFlight >= worker.slots ? 'full' : undefined;
}

/** Negative when `a` is less loaded. Compares inFlight/slots without dividing, so equals are equal. */
function compareLoad(a: WorkerLoad, b: WorkerLoad): number {
  return a.inFlight * b.slots - b.inFlight * a.slots;
}

/**
 * Picks the serving worker with the least in flight per slot, at random among equals; never one that
 * is excluded (already tried for this job), draining, dead or full.
 */
export function chooseWorker(
  loads: Iterable<WorkerLoad>,
  options: { readonly exclude: ReadonlySet<WorkerId>; readonly random: Random },
): Choice {
  const workers = [...loads];
  let least: WorkerLoad | undefined;
  let equals = 0;
  for (const worker of workers) {
    if (obstacle(worker, options.exclude)) continue;
    const order = least ? compareLoad(worker, least) : -1;
    if (order > 0) continue;
    equals = order < 0 ? 1 : equals + 1;
    // Reservoir of one: each of n equals ends up chosen with probability 1/n.
    if (order < 0 || options.random.integer(equals) === 0) least = worker;
  }
  const explanation = explain(workers, least, options.exclude);
  return least
    ? { kind: 'chosen', workerId: least.workerId, explanation }
    : { kind: 'none', reason: reasonOf(explanation.counts), explanation };
}

function explain(
  workers: readonly WorkerLoad[],
  chosen: WorkerLoad | undefined,
  exclude: ReadonlySet<WorkerId>,
): Explanation {
  const counts: Partial<Record<CandidateVerdict, number>> = {};
  const candidates: Candidate[] = [];
  for (const worker of workers) {
    const verdict = verdictOn(worker, chosen, exclude);
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    const { workerId, slots, inFlight } = worker;
    const candidate = { workerId, slots, inFlight, verdict };
    if (verdict === 'chosen') candidates.unshift(candidate);
    else if (candidates.length <= maxExplained) candidates.push(candidate);
  }
  return { strategy: 'least_connections', counts, candidates: candidates.slice(0, maxExplained) };
}

function verdictOn(
  worker: WorkerLoad,
  chosen: WorkerLoad | undefined,
  exclude: ReadonlySet<WorkerId>,
): CandidateVerdict {
  if (worker === chosen) return 'chosen';
  const why = obstacle(worker, exclude);
  if (why) return why;
  return chosen && compareLoad(worker, chosen) === 0 ? 'equal' : 'busier';
}

function reasonOf(counts: Explanation['counts']) {
  if (counts.full) return 'all_full';
  if (counts.tried) return 'all_tried';
  return counts.draining ? 'all_draining' : 'no_live_worker';
}
