export {
  type Candidate,
  type CandidateVerdict,
  type Choice,
  chooseWorker,
  type Explanation,
  maxExplained,
} from './choose-worker.ts';
export {
  defaultFleetViewLimits,
  FleetView,
  type FleetViewLimits,
  type ReportVerdict,
  type WorkerLoad,
  type WorkerState,
} from './fleet-view.ts';
