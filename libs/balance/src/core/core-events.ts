import type {
  BalancerId,
  CallKey,
  ErrorCode,
  JobId,
  LoadReport,
  WorkerId,
} from '@starling/contracts';
import type { Explanation } from '../choice/explanation.ts';
import type { QueuedJob } from '../fair/queued-job.ts';
import type { LedgerRead } from './job-state.ts';
import type { Refused } from './line-bounds.ts';

/** Everything that can happen to a balancer. */
export type CoreEvent =
  /**
   * The feed showed a stored job, or an ingress handed one in (`submitted`). `backlog`: it was there
   * before us, accepted under the bounds. By no clock, since those of two hosts differ.
   */
  | {
      readonly kind: 'job_stored';
      readonly header: QueuedJob;
      readonly sequence: number;
      readonly arrival?: 'submitted' | 'backlog';
    }
  /** Its end was written by whom we trust to know: us, a peer, or the worker by its report. */
  | { readonly kind: 'job_ended'; readonly jobId: JobId; readonly tokens?: number }
  /** It was taken from its worker, or let go of by it. */
  | { readonly kind: 'job_released'; readonly jobId: JobId }
  /** It was delivered and deleted from `JOBS`. */
  | { readonly kind: 'job_gone'; readonly jobId: JobId }
  | { readonly kind: 'load_report'; readonly report: LoadReport }
  | { readonly kind: 'peer_heard'; readonly balancerId: BalancerId }
  /** A peer said goodbye. */
  | { readonly kind: 'peer_left'; readonly balancerId: BalancerId }
  | {
      readonly kind: 'peer_took';
      readonly balancerId: BalancerId;
      readonly jobId: JobId;
      readonly workerId: WorkerId;
      /** It was sent to share a call. */
      readonly follows?: boolean | undefined;
    }
  | {
      readonly kind: 'run_answered';
      readonly jobId: JobId;
      readonly workerId: WorkerId;
      readonly attempt: number;
      readonly answer: RunAnswer;
    }
  /** The answer to `read_ledger`, and to `end_failed`: what stands in the ledger after it. */
  | { readonly kind: 'ledger_read'; readonly jobId: JobId; readonly read: LedgerRead }
  /** The bus connection is gone: nothing is heard, so silence proves nothing. */
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connected' }
  /** Time passed; every `tickMs`, and at each wake that was asked for. */
  | { readonly kind: 'tick' };

/**
 * A worker's answer to a run request. `lost`: somebody else holds the claim. `silent`: no answer in
 * time; nothing is assumed. `absent`: nobody listens on the worker's subject. `call_gone`: there is no
 * call that the job could share.
 */
export type RunAnswer = 'ok' | 'full' | 'draining' | 'lost' | 'absent' | 'silent' | 'call_gone';

/** What the shell around the core must do. */
export type CoreEffect =
  /** Ask the worker, and tell the peers that we took the job (`peer_took`). */
  | {
      readonly kind: 'run';
      readonly jobId: JobId;
      readonly workerId: WorkerId;
      readonly sequence: number;
      readonly attempt: number;
      /** The claim that this attempt replaces; `undefined` for a job that nobody claimed. */
      readonly previousRevision: number | undefined;
      /** It may share a call of this key. */
      readonly callKey: CallKey | undefined;
      /** It is sent to share the call that the worker holds: no grant is spent on it. */
      readonly follows: boolean;
      readonly explanation: Explanation;
    }
  | { readonly kind: 'read_ledger'; readonly jobId: JobId }
  /** The job cannot be answered any more: write its honest end over this revision (or create it). */
  | {
      readonly kind: 'end_failed';
      readonly jobId: JobId;
      readonly code: ErrorCode;
      readonly previousRevision: number | undefined;
      readonly attempt: number;
      /** Of a job that was refused: where it would have stood, and when to come back. */
      readonly place?: Refused['place'];
      readonly retryMs?: NonNullable<Refused['retryMs']>;
    }
  /** The job ended, and its owner is not heard to have delivered it: tell the owner. */
  | { readonly kind: 'wake_owner'; readonly jobId: JobId }
  /** Call `tick` again after this long, for a job whose turn at this balancer comes later. */
  | { readonly kind: 'wake'; readonly delayMs: number };
