/** The body of a claimed job, by its sequence in `JOBS`. */
import type { JobStore, StoredMessage } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { type DecodeFault, decode, type Job, type JobId, jobContract } from '@starling/contracts';

/**
 * What became of it. `gone`: it was delivered and removed; another job may lie in its place, if the store
 * was lost. `unreachable`: the store did not answer. `unreadable`: it will never decode here, or only in a
 * newer process.
 */
export type FetchedBody =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'gone' | 'unreachable' }
  | {
      readonly kind: 'unreadable';
      readonly fault: DecodeFault;
      readonly message: StoredMessage & { readonly payload: Uint8Array };
    };

/** A store that is away is asked again for this long: a restart of NATS takes a second or two. */
const retryForMs = 5_000;
const retryEveryMs = 200;

const otherJob: DecodeFault = { kind: 'invalid', problem: 'it names another job' };

/** Fetches and decodes, until `signal` says that nobody needs it; never rejects. */
export async function fetchBody(
  parts: { readonly store: Pick<JobStore, 'read'>; readonly clock: Clock },
  { jobId, sequence }: { readonly jobId: JobId; readonly sequence: number },
  signal: AbortSignal,
): Promise<FetchedBody> {
  const { clock, store } = parts;
  const giveUpAtMs = clock.monotonicMs() + retryForMs;
  while (!signal.aborted) {
    try {
      const message = await store.read(sequence);
      if (message?.subject.split('.').at(-1) !== jobId) return { kind: 'gone' };
      const decoded = decode(jobContract, message.payload);
      if (!decoded.ok) return { kind: 'unreadable', fault: decoded.fault, message };
      if (decoded.value.jobId === jobId) return { kind: 'job', job: decoded.value };
      return { kind: 'unreadable', fault: otherJob, message };
    } catch {
      if (clock.monotonicMs() >= giveUpAtMs) break;
      await clock.sleep(retryEveryMs, { signal }).catch(() => {});
    }
  }
  return { kind: 'unreachable' };
}
