/** The body of a claimed job, by its sequence in `JOBS`. */
import type { JobStore } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { type DecodeFault, decode, type Job, jobContract } from '@starling/contracts';

/**
 * What became of it. `gone`: it was delivered and removed. `unreachable`: the store did not answer.
 * `unreadable`: it will never decode here, or only in a newer process.
 */
export type FetchedBody =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'gone' | 'unreachable' }
  | { readonly kind: 'unreadable'; readonly fault: DecodeFault };

/** A store that is away is asked again for this long: a restart of NATS takes a second or two. */
const retryForMs = 5_000;
const retryEveryMs = 200;

/** Fetches and decodes, until `signal` says that nobody needs it; never rejects. */
export async function fetchBody(
  parts: { readonly store: Pick<JobStore, 'read'>; readonly clock: Clock },
  sequence: number,
  signal: AbortSignal,
): Promise<FetchedBody> {
  const { clock, store } = parts;
  const giveUpAtMs = clock.monotonicMs() + retryForMs;
  while (!signal.aborted) {
    try {
      const message = await store.read(sequence);
      if (!message) return { kind: 'gone' };
      const decoded = decode(jobContract, message.payload);
      return decoded.ok
        ? { kind: 'job', job: decoded.value }
        : { kind: 'unreadable', fault: decoded.fault };
    } catch {
      if (clock.monotonicMs() >= giveUpAtMs) break;
      await clock.sleep(retryEveryMs, { signal }).catch(() => {});
    }
  }
  return { kind: 'unreachable' };
}
