import type { BalancerId, CallKey, JobId, LoadReport } from '@starling/contracts';
import type { JobFinish, WorkerEvent } from './worker-events.ts';

/** A job that a worker has, from the run request to the word that its end stands. */
export interface JobUse {
  readonly attempt: number;
  readonly sequence: number;
  /** The call that it leads or follows; absent when its call is its own. */
  readonly callKey: CallKey | undefined;
  /** Balancers that wait for the claim's outcome. */
  readonly askers: Set<BalancerId>;
  phase:
    | { readonly kind: 'claiming' }
    | { readonly kind: 'running'; readonly revision: number }
    | {
        readonly kind: 'ending';
        readonly revision: number;
        readonly finish: JobFinish;
        readonly retryAtMs: number;
      };
  cancelled: boolean;
}

/** A job as it begins: asked for by one balancer, its claim under way. */
export function claimOf(
  { attempt, from, sequence }: Extract<WorkerEvent, { kind: 'run_requested' }>,
  callKey: CallKey | undefined,
): JobUse {
  const phase = { kind: 'claiming' } as const;
  return { attempt, sequence, callKey, askers: new Set([from]), phase, cancelled: false };
}

/** Of jobs that are not in their first attempt, which one it is. */
export function laterAttempts(jobs: ReadonlyMap<JobId, JobUse>): LoadReport['attempts'] {
  let later: Record<JobId, number> | undefined;
  for (const [jobId, { attempt }] of jobs) {
    if (attempt > 1) later = { ...later, [jobId]: attempt };
  }
  return later;
}
