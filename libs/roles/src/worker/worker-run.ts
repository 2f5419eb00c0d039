import type { BusMessage } from '@starling/bus';
import type { BalancerId, Job, Released, Result, RunRequest } from '@starling/contracts';
import type { Context } from '@starling/telemetry';
import type { StopReason } from './answer-job.ts';
import type { FetchedBody } from './fetch-body.ts';
import type { FrameSender } from './frame-sender.ts';
import type { Seat } from './shared-call.ts';

/** One job in a worker's hands, from the run request to the word that its end stands. */
export interface WorkerRun {
  readonly request: RunRequest;
  /** The trace of the dispatch that brought it. */
  readonly context: Context;
  /** When the request came, milliseconds since the Unix epoch. */
  readonly takenAtMs: number;
  /** Requests that wait for the claim, by the balancer that asked. */
  readonly askers: Map<BalancerId, BusMessage>;
  readonly stop: AbortController;
  /** Its body in `JOBS`, asked for together with the claim. */
  body: Promise<FetchedBody> | undefined;
  /** Nobody here needs the body any more. */
  readonly unwanted: AbortController;
  /** Its place at a call that others may read too; absent: it calls for itself. */
  seat: Seat | undefined;
  /** Of a stored job absent until it was fetched. */
  job: Job | undefined;
  frames: FrameSender | undefined;
  /** What it came to; absent while it runs, and for ever when it is let go of. */
  result: Result | undefined;
}

/** A job as it comes in. */
export function newRun(
  of: Pick<WorkerRun, 'request' | 'job' | 'context' | 'takenAtMs'>,
): WorkerRun {
  return {
    ...of,
    askers: new Map(),
    stop: new AbortController(),
    body: undefined,
    unwanted: new AbortController(),
    seat: undefined,
    frames: undefined,
    result: undefined,
  };
}

/** The job was taken from its worker as of this revision; one that was claimed since goes on. */
export function leaveRun(
  run: WorkerRun | undefined,
  { revision }: Pick<Released, 'revision'>,
): void {
  const work = run?.request.work;
  const isOlder = work?.kind === 'stored' && (work.previousRevision ?? 0) < revision;
  if (isOlder) run?.stop.abort('left' satisfies StopReason);
}
