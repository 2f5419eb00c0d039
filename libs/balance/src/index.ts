export { type Choice, type ChoiceOptions, chooseWorker } from './choice/choose-worker.ts';
export {
  type Candidate,
  type CandidateVerdict,
  type Explanation,
  maxExplained,
  type Obstacle,
} from './choice/explanation.ts';
export { strategyNamed } from './choice/strategies.ts';
export { type Strategy, type StrategyName, strategyNames } from './choice/strategy.ts';
export { BalancerCore, type BalancerCoreParts } from './core/balancer-core.ts';
export type { CoreEffect, CoreEvent, RunAnswer } from './core/core-events.ts';
export { type CoreLimits, defaultCoreLimits } from './core/core-limits.ts';
export { JobLine, type Turn } from './core/job-line.ts';
export type { JobState, LedgerRead } from './core/job-state.ts';
export type { Refused } from './core/line-bounds.ts';
export { rendezvousWeight } from './core/rendezvous.ts';
export { FairQueue } from './fair/fair-queue.ts';
export {
  defaultFairQueueLimits,
  everyUser,
  type FairQueueLimits,
  type QueuedJob,
  type QueueRefusal,
} from './fair/queued-job.ts';
export {
  defaultFleetViewLimits,
  FleetView,
  type FleetViewLimits,
  type ReportVerdict,
  type WorkerLoad,
  type WorkerState,
} from './fleet-view.ts';
export {
  isOwnEnd,
  type LedgerAnswer,
  type LedgerEntry,
  type LedgerRecord,
  type LedgerWrite,
  ledgerStep,
} from './ledger/ledger-step.ts';
export { mostWanted, SignalBoard } from './scaling/signal-board.ts';
export { type FleetLoad, type ScalingTargets, WantedWorkers } from './scaling/wanted-workers.ts';
export { type EndRule, endRule } from './worker/end-rule.ts';
export type { SlowStart } from './worker/slot-grants.ts';
export type { FirstToken } from './worker/slot-limit.ts';
export { WorkerCore } from './worker/worker-core.ts';
export type { WorkerCoreParts } from './worker/worker-core-parts.ts';
export type { JobFinish, WorkerEffect, WorkerEvent } from './worker/worker-events.ts';
export { defaultWorkerLimits, type WorkerLimits } from './worker/worker-limits.ts';
