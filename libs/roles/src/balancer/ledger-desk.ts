import { type CoreEvent, JobLine, type JobState } from '@starling/balance';
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
import { buryUndelivered, isUndeliverable } from './undelivered.ts';

export interface LedgerDeskParts extends JobEndsParts {
  readonly step: (event: CoreEvent) => void;
  readonly stateOf: (jobId: JobId) => JobState | undefined;
  /** No worker is there. */
  readonly isAlone: () => boolean;
  /** The job is no business of ours any more. */
  readonly forget: (jobId: JobId) => void;
}

/** Jobs whose calls to the stores are under way at once: enough to keep NATS busy, too few to drown it. */
const callsAtOnce = 50;
/** Results of ephemeral jobs on their way to an ingress, which may be away for seconds. */
const resultsAtOnce = 200;

/**
 * What a balancer asks the stores, with the answers as events. An answer that does not come is no
 * event: the core asks again, and each time the question has its turn it is looked at once more whether
 * the job still needs it.
 */
export class LedgerDesk {
  readonly #parts: LedgerDeskParts;
  readonly #calls = new JobLine(callsAtOnce);
  readonly #results = new JobLine(resultsAtOnce);

  constructor(parts: LedgerDeskParts) {
    this.#parts = parts;
  }

  read(work: QueuedWork): void {
    const { clock, jobs, step } = this.#parts;
    const { jobId } = work;
    this.#ask(work, 'checking', () =>
      this.#tried('ledger.unread', jobId, async () => {
        const read = coreRead(await jobs.ledger.read(jobId));
        work.waitingSinceMs = clock.nowMs();
        step({ kind: 'ledger_read', jobId, read });
      }),
    );
  }

  fail(work: QueuedWork, told: FailedJob): void {
    const { jobId } = work;
    const failed = { ...told, code: this.#codeOf(told) };
    const line = work.body.kind === 'stored' ? this.#calls : this.#results;
    line.ask(jobId, {
      isWanted: () => {
        const state = this.#parts.stateOf(jobId);
        return state?.kind === 'failing' && state.previousRevision === failed.previousRevision;
      },
      work: (over) => void this.#fail(work, failed).finally(over),
    });
  }

  /** Ends a waiting job that nobody wants any more; the ledger decides between this and a claim. */
  cancel(work: QueuedWork): void {
    const { jobs, step } = this.#parts;
    const { jobId } = work;
    this.#ask(work, 'waiting', () =>
      this.#tried('cancel.failed', jobId, async () => {
        const read = coreRead(await jobs.ledger.read(jobId));
        const claimed = read.kind === 'run' || read.kind === 'released' ? read : undefined;
        const previousRevision = claimed?.revision;
        const attempt = claimed?.attempt ?? 0;
        if (read.kind === 'end') step({ kind: 'ledger_read', jobId, read });
        else await this.#fail(work, { code: 'cancelled', attempt, previousRevision });
      }),
    );
  }

  /** An ended job is still stored: its owner is told, unless nobody needs it there or will fetch it any more. */
  wake(work: QueuedWork): void {
    const { body } = work;
    if (body.kind !== 'stored') return;
    if (!body.job.collected && isUndeliverable(body, this.#parts.clock.nowMs())) {
      // An owner that is woken meanwhile would bring its user what an operator is given to replay.
      this.#ask(work, 'ended', () => buryUndelivered(this.#parts, work));
      return;
    }
    wakeOwner(this.#parts, work);
    if (body.job.collected) this.#ask(work, 'ended', () => removeEnded(this.#parts, work));
  }

  /** At a deadline it matters to the user whether anybody was there at all. */
  #codeOf({ code, previousRevision }: FailedJob): FailedJob['code'] {
    const untouched = code === 'deadline_exceeded' && previousRevision === undefined;
    return untouched && this.#parts.isAlone() ? 'no_worker' : code;
  }

  #ask({ jobId }: QueuedWork, wantedIn: JobState['kind'], work: () => Promise<void>): void {
    const isWanted = () => this.#parts.stateOf(jobId)?.kind === wantedIn;
    this.#calls.ask(jobId, { isWanted, work: (over) => void work().finally(over) });
  }

  async #fail(work: QueuedWork, failed: FailedJob): Promise<void> {
    const { forget, step } = this.#parts;
    const { jobId } = work;
    const written = await endFailed(this.#parts, work, failed);
    if (written.kind === 'gone') forget(jobId);
    else if (written.kind === 'stands') step({ kind: 'ledger_read', jobId, read: written.read });
  }

  async #tried(event: string, jobId: JobId, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.telemetry.log('dispatch').debug(event, { jobId, error });
    }
  }
}
