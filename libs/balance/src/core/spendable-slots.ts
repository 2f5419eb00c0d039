import { hasRoom, serves } from '../choice/choose-worker.ts';
import { loadOf } from '../choice/strategy.ts';
import type { WorkerLoad } from '../fleet-view.ts';

/** Slots that may be filled now. */
export interface SpendableSlots {
  /** Whether one of them can be filled with a job for this model. */
  readonly canServe: (model: string | undefined) => boolean;
  /** Workers to choose from for such a job, with their load as their report and our own dispatches tell it. */
  readonly loads: (model: string | undefined) => readonly WorkerLoad[];
}

/**
 * Grants are dealt before a job comes, so those that we hold may not be of the least loaded workers. Ours
 * are offered alone while one of their workers is within one job of these: no busier than any would be
 * with one job more. Else, and where ours have no room, what lies with peers is offered as well. A grant of a peer costs a hop where it
 * is spent at the same moment, so ours come first.
 */
export function evenly(own: SpendableSlots, lent: SpendableSlots): SpendableSlots {
  return {
    canServe: (model) => own.canServe(model) || lent.canServe(model),
    loads: (model) => {
      const [ours, theirs] = [own.loads(model), lent.loads(model)];
      let most = Number.POSITIVE_INFINITY;
      for (const worker of theirs) {
        if (serves(worker, model)) most = Math.min(most, (worker.inFlight + 1) / worker.slots);
      }
      const isEven = (worker: WorkerLoad) => hasRoom(worker) && loadOf(worker) <= most;
      if (ours.some((worker) => serves(worker, model) && isEven(worker))) return ours;
      const known = new Set(ours.map(({ workerId }) => workerId));
      return [...ours, ...theirs.filter(({ workerId }) => !known.has(workerId))];
    },
  };
}
