import { type CallLimits, defaultCallLimits } from './call-book.ts';
import type { ReportGaps } from './report-pace.ts';
import { defaultSlowStart, type SlowStart } from './slot-grants.ts';

/** Times (milliseconds) and bounds of a worker's core. */
export interface WorkerLimits extends ReportGaps {
  /** Between reports without change; also the tick. */
  readonly reportMs: number;
  /** A balancer that was silent this long is dead: it gets no slots. */
  readonly balancerDeadMs: number;
  /** An end without an answer is written again after this long. */
  readonly endRetryMs: number;
  readonly slowStart: SlowStart;
  readonly calls: CallLimits;
}

export const defaultWorkerLimits: WorkerLimits = {
  reportMs: 250,
  pressingGapMs: 5,
  pressingBurst: 4,
  changeGapMs: 25,
  balancerDeadMs: 750,
  endRetryMs: 1_000,
  slowStart: defaultSlowStart,
  calls: defaultCallLimits,
};
