/**
 * Who runs a job: of the workers that may, those that have the model in memory; of these the
 * conversation's last one while it is not much busier than the fleet; else whom the strategy picks.
 */
import type { Random } from '@starling/clock';
import type { WorkerId } from '@starling/contracts';
import type { WorkerLoad } from '../fleet-view.ts';
import { type Explanation, explain, type Obstacle } from './explanation.ts';
import { leastConnections } from './strategies.ts';
import type { Strategy } from './strategy.ts';

/** The outcome of a choice. `none` says what stands in the way, the most hopeful reason first. */
export type Choice =
  | { readonly kind: 'chosen'; readonly workerId: WorkerId; readonly explanation: Explanation }
  | {
      readonly kind: 'none';
      readonly reason:
        | 'all_full'
        | 'all_tried'
        | 'all_draining'
        | 'no_worker_for_model'
        | 'no_live_worker';
      readonly explanation: Explanation;
    };

/** What a job asks of its worker. */
export interface ChoiceOptions {
  /** Workers already tried for this job. */
  readonly exclude: ReadonlySet<WorkerId>;
  readonly random: Random;
  readonly strategy?: Strategy;
  readonly model?: string | undefined;
  /** The worker that served the conversation last. */
  readonly lastWorker?: WorkerId | undefined;
  /** Mean of in flight per slot over the whole fleet; by default over `loads`. */
  readonly meanLoad?: number;
}

/** A conversation's last worker is preferred while its load is within this many times the mean. */
const boundedLoad = 1.25;

/** Whether a worker can serve a model; one that names none serves any. */
export function serves(
  { models }: { readonly models?: WorkerLoad['models'] | undefined },
  model: string | undefined,
): boolean {
  return model === undefined || models === undefined || models.served.includes(model);
}

/** Whether it answers without loading the model first; of one that names none nothing else is known. */
function isReady({ models }: WorkerLoad, model: string | undefined): boolean {
  return model === undefined || models === undefined || models.loaded.includes(model);
}

/**
 * Whether it may be given one job more. A sick worker keeps one slot at least: somebody must find out when
 * it is well again.
 */
export function hasRoom({ inFlight, score = 1, slots }: WorkerLoad): boolean {
  return inFlight < (score < 1 ? Math.max(1, Math.floor(slots * score)) : slots);
}

function obstacleOf(worker: WorkerLoad, options: ChoiceOptions): Obstacle | undefined {
  if (worker.state.kind !== 'serving') return worker.state.kind;
  if (!serves(worker, options.model)) return 'other_model';
  if (options.exclude.has(worker.workerId)) return 'tried';
  if (worker.inFlight >= worker.slots) return 'full';
  return hasRoom(worker) ? undefined : 'unhealthy';
}

/**
 * Picks a serving worker; never one that is excluded (already tried for this job), draining, dead,
 * full, or without the model.
 */
export function chooseWorker(loads: Iterable<WorkerLoad>, options: ChoiceOptions): Choice {
  const { strategy = leastConnections, random, model } = options;
  const workers = [...loads];
  const able = workers.filter((worker) => obstacleOf(worker, options) === undefined);
  const warm = able.filter((worker) => isReady(worker, model));
  const offered = warm.length > 0 ? warm : able;
  const familiar = familiarOf(offered, workers, options);
  const chosen = familiar ?? strategy.pick(offered, random);
  const explanation = explain(workers, {
    strategy: strategy.name,
    decidedBy: familiar ? 'conversation' : 'strategy',
    chosen,
    offered,
    obstacle: (worker) => obstacleOf(worker, options),
  });
  return chosen
    ? { kind: 'chosen', workerId: chosen.workerId, explanation }
    : { kind: 'none', reason: reasonOf(explanation.counts), explanation };
}

function familiarOf(
  offered: readonly WorkerLoad[],
  workers: readonly WorkerLoad[],
  { lastWorker, meanLoad = meanLoadOf(workers) }: ChoiceOptions,
): WorkerLoad | undefined {
  if (lastWorker === undefined) return undefined;
  const familiar = offered.find(({ workerId }) => workerId === lastWorker);
  if (!familiar || (familiar.score ?? 1) < 1) return undefined;
  return familiar.inFlight / familiar.slots <= boundedLoad * meanLoad ? familiar : undefined;
}

/** Jobs in flight per slot over all serving workers, 0 without any. */
export function meanLoadOf(workers: Iterable<WorkerLoad>): number {
  let slots = 0;
  let inFlight = 0;
  for (const worker of workers) {
    if (worker.state.kind !== 'serving') continue;
    slots += worker.slots;
    inFlight += worker.inFlight;
  }
  return slots === 0 ? 0 : inFlight / slots;
}

function reasonOf(counts: Explanation['counts']) {
  if (counts.full || counts.unhealthy) return 'all_full';
  if (counts.tried) return 'all_tried';
  if (counts.draining) return 'all_draining';
  return counts.other_model ? 'no_worker_for_model' : 'no_live_worker';
}
