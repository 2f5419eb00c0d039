import { reportDropped } from './bus-report.ts';
import type { HandlerQueue } from './handler-queue.ts';

/**
 * Waits until every queue's handlers have finished, or the signal aborts; what waits then is dropped
 * and counted.
 */
export async function drainQueues(
  listeners: Iterable<{
    readonly pattern: string;
    readonly queue: Pick<HandlerQueue<unknown>, 'idle' | 'clear'>;
  }>,
  signal: AbortSignal,
): Promise<void> {
  const all = [...listeners];
  const gaveUp = Promise.withResolvers<void>();
  const onAbort = () => gaveUp.resolve();
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([Promise.all(all.map(({ queue }) => queue.idle())), gaveUp.promise]);
  signal.removeEventListener('abort', onAbort);
  for (const { pattern, queue } of all) {
    const count = queue.clear();
    if (count > 0) reportDropped(pattern, { count, total: count, why: 'drain' });
  }
}
