import type { CoreEvent } from '@starling/balance';
import type { JobId } from '@starling/contracts';
import {
  coreRead,
  endFailed,
  type FailedJob,
  type JobEndsParts,
  removeEnded,
  wakeOwner,
} from './job-ends.ts';
import type { QueuedWork } from './queued-work.ts';

export interface LedgerDeskParts extends JobEndsParts {
  readonly step: (event: CoreEvent) => void;
  /** The job is no business of ours any more. */
  readonly forget: (jobId: JobId) => void;
}

/**
 * What a balancer asks the stores, with the answers as events. An answer that does not come is no
 * event: the core asks again.
 */
export class LedgerDesk {
  readonly #parts: LedgerDeskParts;

  constructor(parts: LedgerDeskParts) {
    this.#parts = parts;
  }

  async read(work: QueuedWork): Promise<void> {
    const { clock, jobs, step } = this.#parts;
    const { jobId } = work;
    await this.#tried('ledger.unread', jobId, async () => {
      const read = coreRead(await jobs.ledger.read(jobId));
      work.waitingSinceMs = clock.nowMs();
      step({ kind: 'ledger_read', jobId, read });
    });
  }

  async fail(work: QueuedWork, failed: FailedJob): Promise<void> {
    const { forget, step } = this.#parts;
    const { jobId } = work;
    const written = await endFailed(this.#parts, work, failed);
    if (written.kind === 'gone') forget(jobId);
    else if (written.kind === 'stands') step({ kind: 'ledger_read', jobId, read: written.read });
  }

  /** Ends a waiting job that nobody wants any more; the ledger decides between this and a claim. */
  async cancel(work: QueuedWork): Promise<void> {
    const { jobs, step } = this.#parts;
    const { jobId } = work;
    await this.#tried('cancel.failed', jobId, async () => {
      const read = coreRead(await jobs.ledger.read(jobId));
      const claimed = read.kind === 'run' || read.kind === 'released' ? read : undefined;
      const previousRevision = claimed?.revision;
      const attempt = claimed?.attempt ?? 0;
      if (read.kind === 'end') step({ kind: 'ledger_read', jobId, read });
      else await this.fail(work, { code: 'cancelled', attempt, previousRevision });
    });
  }

  /** Looks whether `JOBS` still has an ended job. */
  async checkStored({ body, jobId }: QueuedWork): Promise<void> {
    const { forget, jobs, step } = this.#parts;
    if (body.kind === 'inline') return;
    await this.#tried('job.unread', jobId, async () => {
      if (await jobs.store.read(body.sequence)) step({ kind: 'still_stored', jobId });
      else forget(jobId);
    });
  }

  /** An ended job is still stored: its owner is told, unless nobody needs it there any more. */
  wake(work: QueuedWork): void {
    wakeOwner(this.#parts, work);
    if (work.body.kind === 'stored' && work.body.collected) void removeEnded(this.#parts, work);
  }

  async #tried(event: string, jobId: JobId, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.telemetry.log('dispatch').debug(event, { jobId, error });
    }
  }
}
