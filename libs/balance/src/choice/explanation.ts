import type { WorkerId } from '@starling/contracts';
import type { WorkerLoad } from '../fleet-view.ts';
import { loadOf, type StrategyName } from './strategy.ts';

/** Why a worker cannot be chosen at all. */
export type Obstacle = 'full' | 'tried' | 'draining' | 'dead' | 'other_model' | 'unhealthy';

/** Why a worker was or was not chosen. */
export type CandidateVerdict =
  | 'chosen'
  /** As little loaded as the chosen one; the draw, or the conversation, went against it. */
  | 'equal'
  | 'busier'
  /** Less loaded than the chosen one, which the strategy or the conversation preferred. */
  | 'passed_over'
  /** It would have to load the model first; another has it in memory. */
  | 'not_loaded'
  | Obstacle;

/** One worker in an explanation. */
export interface Candidate {
  readonly workerId: WorkerId;
  readonly slots: number;
  readonly inFlight: number;
  readonly verdict: CandidateVerdict;
}

/** A choice as data (features B10): enough to say later why this worker and not another. */
export interface Explanation {
  readonly strategy: StrategyName;
  /**
   * `conversation`: the strategy was not asked, the conversation's last worker was free enough. `call`:
   * the worker holds the call that the job shares; no other was looked at.
   */
  readonly decidedBy: 'strategy' | 'conversation' | 'call';
  /** How many workers there were of each verdict. */
  readonly counts: Readonly<Partial<Record<CandidateVerdict, number>>>;
  /** The chosen worker first, then others in the order of the scan, {@link maxExplained} at most. */
  readonly candidates: readonly Candidate[];
}

/** An explanation rides on a span, so it lists at most this many workers; the counts have all. */
export const maxExplained = 16;

/** Describes a choice among `workers`. */
export function explain(
  workers: readonly WorkerLoad[],
  choice: {
    readonly strategy: StrategyName;
    readonly decidedBy: Explanation['decidedBy'];
    readonly chosen: WorkerLoad | undefined;
    readonly offered: ReadonlySet<WorkerLoad> | readonly WorkerLoad[];
    readonly obstacle: (worker: WorkerLoad) => Obstacle | undefined;
  },
): Explanation {
  const { chosen, obstacle } = choice;
  const offered = new Set(choice.offered);
  const chosenLoad = chosen && loadOf(chosen);
  const verdictOn = (worker: WorkerLoad): CandidateVerdict => {
    if (worker === chosen) return 'chosen';
    if (!offered.has(worker)) return obstacle(worker) ?? 'not_loaded';
    const load = loadOf(worker);
    if (load === chosenLoad) return 'equal';
    return chosenLoad !== undefined && load < chosenLoad ? 'passed_over' : 'busier';
  };
  const counts: Partial<Record<CandidateVerdict, number>> = {};
  const candidates: Candidate[] = [];
  for (const worker of workers) {
    const verdict = verdictOn(worker);
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    if (verdict !== 'chosen' && candidates.length >= maxExplained) continue;
    const candidate = { ...candidateOf(worker), verdict };
    if (verdict === 'chosen') candidates.unshift(candidate);
    else candidates.push(candidate);
  }
  const { strategy, decidedBy } = choice;
  return { strategy, decidedBy, counts, candidates: candidates.slice(0, maxExplained) };
}

/** A choice that was none: the job goes where its call is. */
export function explainFollowing(
  strategy: StrategyName,
  holder: WorkerLoad | undefined,
): Explanation {
  const candidates: Candidate[] = holder ? [{ ...candidateOf(holder), verdict: 'chosen' }] : [];
  return { strategy, decidedBy: 'call', counts: { chosen: 1 }, candidates };
}

function candidateOf({ inFlight, slots, workerId }: WorkerLoad) {
  return { workerId, slots, inFlight };
}
