import type { BalancerId, JobId, LoadReport, WorkerId } from '@starling/contracts';
import type { QueuedJob } from '../fair/queued-job.ts';
import type { Explanation } from '../choose-worker.ts';
import type { LedgerRead } from './job-state.ts';

/** Everything that can happen to a balancer. */
export type CoreEvent =
  /** The feed showed a stored job. */
  | { readonly kind: 'job_stored'; readonly header: QueuedJob; readonly sequence: number }
  /** The job was delivered and deleted, or its end was seen. */
  | { readonly kind: 'job_gone'; readonly jobId: JobId; readonly actualTokens?: number }
  | { readonly kind: 'load_report'; readonly report: LoadReport }
  | { readonly kind: 'peer_heard'; readonly balancerId: BalancerId }
  | { readonly kind: 'peer_left'; readonly balancerId: BalancerId }
  | { readonly kind: 'peer_took'; readonly jobId: JobId; readonly workerId: WorkerId }
  | { readonly kind: 'run_answered'; readonly jobId: JobId; readonly workerId: WorkerId; readonly answer: RunAnswer }
  | { readonly kind: 'ledger_read'; readonly jobId: JobId; readonly read: LedgerRead }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connected' }
  /** Time passed; every {@link CoreLimits.tickMs}, and at each wake that was asked for. */
  | { readonly kind: 'tick' };

/**
 * A worker's answer to a run request. `lost`: somebody else holds the claim. `silent`: no answer in
 * time; nothing is assumed. `absent`: nobody listens on the worker's subject.
 */
export type RunAnswer = 'ok' | 'full' | 'draining' | 'lost' | 'absent' | 'silent';

/** What the shell around the core must do. */
export type CoreEffect =
  | {
      readonly kind: 'run';
      readonly jobId: JobId;
      readonly workerId: WorkerId;
      readonly sequence: number;
      readonly attempt: number;
      readonly previousRevision: number | undefined;
      readonly explanation: Explanation;
    }
  | { readonly kind: 'read_ledger'; readonly jobId: JobId }
  /** The job cannot be answered any more: write its honest end. */
  | { readonly kind: 'end_failed'; readonly jobId: JobId; readonly code: 'deadline_exceeded' | 'no_worker' | 'internal' }
  /** Call `tick` again after this long, for a job whose turn at this balancer comes later. */
  | { readonly kind: 'wake'; readonly delayMs: number };
