import type { Job, JobId, OwnerId, RunRequest, Submit } from '@starling/contracts';
import type { StoredJob } from '@starling/jobs';
import type { Context } from '@starling/telemetry';

/** What the shell knows of a job in the core: how to hand it over, and whom to tell of its end. */
export interface QueuedWork {
  readonly jobId: JobId;
  readonly lane: Job['lane'];
  readonly owner: OwnerId;
  /** The job's trace, as its headers brought it. */
  readonly context: Context;
  /** Where its body is: in `JOBS`, or here when nobody else has it. */
  readonly body:
    | {
        readonly kind: 'stored';
        readonly sequence: number;
        /** By the store's clock, milliseconds since the Unix epoch. */
        readonly storedAtMs: number;
        /** As its headers tell it. */
        readonly job: StoredJob;
      }
    | {
        readonly kind: 'inline';
        readonly submit: Submit;
        /** The job by its contract, which only its worker reads. */
        readonly job: Uint8Array;
      };
  /** Since when it waits for a worker, milliseconds since the Unix epoch. */
  waitingSinceMs: number;
}

/** What a worker is sent of it. */
export function workOf(
  { body }: QueuedWork,
  previousRevision: number | undefined,
): RunRequest['work'] {
  if (body.kind === 'inline') return { kind: 'inline' };
  const { kind, sequence } = body;
  return { kind, sequence, ...(previousRevision !== undefined && { previousRevision }) };
}
