import type { Messaging } from '@starling/bus';
import { type Cancel, cancelContract, type JobId, subjects } from '@starling/contracts';
import { readable } from './readable.ts';
import { RecentIds } from './recent-ids.ts';

/** A cancel may overtake its job, which may wait for minutes; so many of them are remembered. */
const maxRemembered = 1_000;

/** The cancels of the whole fleet. */
export interface CancelWatch extends AsyncDisposable {
  /** Was this job cancelled before it came here? */
  has(jobId: JobId): boolean;
}

/** Listens for cancels; calls back for each. */
export async function watchCancels(
  messaging: Messaging,
  onCancel: (cancel: Cancel) => void,
): Promise<CancelWatch> {
  const recent = new RecentIds<JobId>(maxRemembered);
  const subscription = await messaging.subscribe(subjects.allCancels, ({ payload }) => {
    const cancel = readable(cancelContract, payload);
    if (!cancel) return;
    recent.add(cancel.jobId);
    onCancel(cancel);
  });
  return {
    has: (jobId) => recent.has(jobId),
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}
