/** The server's files: the stored jobs, the ledger by the product's own rule, the record of posts. */
import type {
  LedgerAnswer,
  LedgerEntry,
  LedgerWrite,
  ledgerStep,
  QueuedJob,
} from '@starling/balance';
import type { JobId } from '@starling/contracts';

/** The product's ledger rule, or one that `--break` puts in its place. */
export type LedgerRule = typeof ledgerStep;

/** A job as stored. */
export interface StoredJob {
  readonly header: QueuedJob;
  readonly sequence: number;
}

/** What the simulation needs to see of the writes. */
export interface StoreWitness {
  ledgerWritten(jobId: JobId, write: LedgerWrite, before: LedgerEntry | undefined): void;
}

/** A removal is on the disk after this long. */
const unwrittenMs = 300;

/** See the module's header. */
export class Store {
  readonly jobs = new Map<JobId, StoredJob>();
  /** Messages that `JOBS` holds at most. */
  capacity = Number.POSITIVE_INFINITY;
  /** What was removed last, and when: what of it is not on the disk comes back with the next server. */
  #removed: { readonly job: StoredJob; readonly atMs: number }[] = [];
  readonly #ledger = new Map<JobId, LedgerEntry>();
  readonly #posts = new Set<JobId>();
  readonly #rule: LedgerRule;
  readonly #witness: StoreWitness;
  #sequence = 0;
  #revision = 0;

  constructor(rule: LedgerRule, witness: StoreWitness) {
    this.#rule = rule;
    this.#witness = witness;
  }

  /** How many jobs were ever stored: a feed that missed one sees the gap. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** Publishes a job if its subject is empty and there is room. */
  publish(header: QueuedJob): StoredJob | 'duplicate' | 'full' {
    if (this.jobs.has(header.jobId)) return 'duplicate';
    if (this.jobs.size >= this.capacity) return 'full';
    this.#sequence += 1;
    const stored = { header, sequence: this.#sequence };
    this.jobs.set(header.jobId, stored);
    return stored;
  }

  /** @returns whether it was there */
  delete(jobId: JobId, nowMs: number): boolean {
    const job = this.jobs.get(jobId);
    if (!job) return false;
    this.jobs.delete(jobId);
    this.#removed = this.#removed.filter(({ atMs }) => nowMs - atMs < unwrittenMs);
    this.#removed.push({ job, atMs: nowMs });
    return true;
  }

  /** kill -9: a removal that was not on the disk never was. @returns how many jobs are there again */
  crash(nowMs: number): number {
    const back = this.#removed.filter(({ atMs }) => nowMs - atMs < unwrittenMs);
    for (const { job } of back) this.jobs.set(job.header.jobId, job);
    this.#removed = [];
    return back.length;
  }

  read(jobId: JobId): LedgerEntry | undefined {
    return this.#ledger.get(jobId);
  }

  write(jobId: JobId, write: LedgerWrite): LedgerAnswer {
    const before = this.#ledger.get(jobId);
    const answer = this.#rule(before, write, this.#revision + 1);
    if (answer.kind === 'written') {
      this.#revision += 1;
      this.#ledger.set(jobId, answer.entry);
      this.#witness.ledgerWritten(jobId, write, before);
    }
    return answer;
  }

  isPosted(jobId: JobId): boolean {
    return this.#posts.has(jobId);
  }

  recordPost(jobId: JobId): void {
    this.#posts.add(jobId);
  }
}
