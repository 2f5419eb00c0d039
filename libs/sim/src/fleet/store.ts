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

/** See the module's header. */
export class Store {
  readonly jobs = new Map<JobId, StoredJob>();
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

  /** Publishes a job if its subject is empty. @returns whether it was stored now */
  publish(header: QueuedJob): StoredJob | undefined {
    if (this.jobs.has(header.jobId)) return undefined;
    this.#sequence += 1;
    const stored = { header, sequence: this.#sequence };
    this.jobs.set(header.jobId, stored);
    return stored;
  }

  delete(jobId: JobId): void {
    this.jobs.delete(jobId);
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
