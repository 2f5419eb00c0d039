import type { Clock } from '@starling/clock';
import type { ClusterId } from '@starling/contracts';
import { readStoredJob } from '@starling/jobs';
import type { Logger } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { AnswerPosts } from './answer-posts.ts';
import type { Deliveries } from './deliveries.ts';

export interface AdoptParts {
  readonly jobs: Pick<Jobs, 'store'>;
  readonly clock: Clock;
  readonly clusterId: ClusterId;
  readonly posts: AnswerPosts;
  readonly deliveries: Deliveries;
  readonly logger: Logger;
}

/** A list that failed is asked for again after this long: a restart of NATS takes a second or two. */
const retryEveryMs = 1_000;

/**
 * Looks once for what an earlier process of this cluster accepted and did not deliver. What has ended
 * is delivered at once; what has not is told by its last frame, or by a balancer. Disposing it ends
 * the looking.
 */
export function adoptAnswers(parts: AdoptParts): Disposable {
  const ending = new AbortController();
  void adopt(parts, ending.signal);
  return { [Symbol.dispose]: () => ending.abort() };
}

async function adopt(parts: AdoptParts, signal: AbortSignal): Promise<void> {
  const { clock, clusterId, deliveries, jobs, logger, posts } = parts;
  while (!signal.aborted) {
    try {
      const stored = await jobs.store.list();
      if (signal.aborted) return;
      const own = stored
        .map(readStoredJob)
        .flatMap((read) => (read.kind === 'job' ? read.job : []));
      for (const { header, owner, sequence } of own) {
        if (owner !== clusterId) continue;
        posts.adopt(header.jobId);
        deliveries.look(header.jobId, sequence);
      }
      return;
    } catch (error) {
      logger.warn('jobs.unlisted', { error });
    }
    await clock.sleep(retryEveryMs, { signal }).catch(() => {});
  }
}
