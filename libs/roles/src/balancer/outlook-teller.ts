/**
 * Tells the owners of stored jobs that wait where they stand, so that people see it. It looks at a few
 * jobs each time and goes on from there the next time: with a queue of tens of thousands each is told
 * less often, and the balancer's time is not spent on it.
 */
import type { BalancerCore } from '@starling/balance';
import {
  encode,
  type JobId,
  type Outlook,
  type OwnerId,
  outlookContract,
  subjects,
} from '@starling/contracts';
import type { QueuedWork } from './queued-work.ts';

export interface OutlookTellerParts {
  readonly works: ReadonlyMap<JobId, QueuedWork>;
  readonly core: Pick<BalancerCore, 'isHome' | 'outlook' | 'stateOf'>;
  /** Milliseconds since the Unix epoch as the core takes them. */
  readonly now: () => number;
  readonly publish: (subject: string, payload: Uint8Array) => void;
}

/** Most jobs start sooner: of these nobody is told. */
const waitedMs = 1_500;
/** Between two words on one job. */
const everyMs = 2_000;
/** Jobs looked at, and told of, in one round; there are four rounds a second. */
const maxLooks = 1_000;
const maxTold = 200;

/** See the module's header. */
export class OutlookTeller {
  readonly #parts: OutlookTellerParts;
  /** When each job is told next. */
  readonly #dueAtMs = new WeakMap<QueuedWork, number>();
  #rest: Iterator<QueuedWork> | undefined;
  /** Jobs left of the ones that were there when this pass over all of them began. */
  #left = 0;

  constructor(parts: OutlookTellerParts) {
    this.#parts = parts;
  }

  /** One round. */
  tell(): void {
    const { publish, works } = this.#parts;
    const told = new Map<OwnerId, Outlook[]>();
    let count = 0;
    for (let looks = 0; looks < Math.min(maxLooks, works.size) && count < maxTold; looks += 1) {
      const work = this.#next();
      const outlook = work && this.#outlookOf(work);
      if (!outlook) continue;
      const ofOwner = told.get(work.owner) ?? [];
      told.set(work.owner, ofOwner);
      ofOwner.push(outlook);
      count += 1;
    }
    for (const [owner, jobs] of told) {
      publish(subjects.outlook(owner), encode(outlookContract, { jobs }));
    }
  }

  #next(): QueuedWork | undefined {
    if (!this.#rest || this.#left <= 0) {
      this.#rest = this.#parts.works.values();
      this.#left = this.#parts.works.size;
    }
    this.#left -= 1;
    const next = this.#rest.next();
    if (next.done) this.#rest = undefined;
    return next.value;
  }

  #outlookOf(work: QueuedWork): Outlook | undefined {
    const { body, jobId, waitingSinceMs } = work;
    if (body.kind !== 'stored') return undefined;
    const { core, now } = this.#parts;
    const nowMs = now();
    if (nowMs < (this.#dueAtMs.get(work) ?? waitingSinceMs + waitedMs)) return undefined;
    if (core.stateOf(jobId)?.kind !== 'waiting' || !core.isHome(jobId)) return undefined;
    const outlook = core.outlook(jobId, nowMs);
    if (!outlook) return undefined;
    this.#dueAtMs.set(work, nowMs + everyMs);
    return { jobId, stored: body.sequence, ...outlook };
  }
}
