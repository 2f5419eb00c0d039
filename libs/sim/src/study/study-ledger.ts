import { type LedgerEntry, type LedgerRead, type LedgerWrite, ledgerStep } from '@starling/balance';
import type { JobId } from '@starling/contracts';

/** The ledger of the study: the product's rule over a map. */
export class StudyLedger {
  readonly #entries = new Map<JobId, LedgerEntry>();
  #revision = 0;

  /** @returns the revision of the write, or `undefined` when it was refused */
  write(jobId: JobId, write: LedgerWrite): number | undefined {
    const answer = ledgerStep(this.#entries.get(jobId), write, this.#revision + 1);
    if (answer.kind === 'refused') return undefined;
    this.#revision += 1;
    this.#entries.set(jobId, answer.entry);
    return this.#revision;
  }

  read(jobId: JobId): LedgerRead {
    const entry = this.#entries.get(jobId);
    if (!entry) return { kind: 'none' };
    const { record, revision } = entry;
    return record.kind === 'end'
      ? { kind: 'end' }
      : { kind: record.kind, revision, attempt: record.attempt };
  }

  delete(jobId: JobId): void {
    this.#entries.delete(jobId);
  }
}
