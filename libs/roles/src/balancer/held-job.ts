import type { Job, WorkerId } from '@starling/contracts';
import type { Context } from '@starling/telemetry';
import type { KeptDelivery } from '../delivery/kept-delivery.ts';

/** A job in a balancer's hands: taken from the queue, not yet with a worker. */
export interface HeldJob {
  readonly job: Job;
  /** The queue's delivery count: 1 for the first. */
  readonly attempt: number;
  /** The job's trace, as its headers brought it. */
  readonly context: Context;
  readonly kept: KeptDelivery;
  /** Workers that refused it in this round. */
  readonly tried: Set<WorkerId>;
  /** Since when it waits for a worker, milliseconds since the Unix epoch. */
  waitingSinceMs: number;
  /** `waiting` for a slot, `asking` a worker, or `ended`: its timers no longer count. */
  state: 'waiting' | 'asking' | 'ended';
  /** Fires at the job's deadline. */
  deadline: Disposable | undefined;
  /** Runs while it waits to ask those again that were full. */
  nextRound: Disposable | undefined;
}
