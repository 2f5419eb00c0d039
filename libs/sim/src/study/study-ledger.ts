import {
  type CoreEffect,
  type LedgerEntry,
  type LedgerRead,
  type LedgerWrite,
  ledgerStep,
  type WorkerEffect,
  type WorkerEvent,
} from '@starling/balance';
import type { JobId, WorkerId } from '@starling/contracts';

type EffectOf<Kind extends WorkerEffect['kind']> = Extract<WorkerEffect, { kind: Kind }>;
type AnswerTo<Kind extends WorkerEvent['kind']> = Extract<
  WorkerEvent,
  { kind: Kind; answer: unknown }
>['answer'];

/** The ledger of the study: the product's rule over a map. */
export class StudyLedger {
  readonly #entries = new Map<JobId, LedgerEntry>();
  #revision = 0;

  /** @returns whether the job's failure stands */
  fail({
    jobId,
    attempt,
    previousRevision: expected,
  }: Extract<CoreEffect, { kind: 'end_failed' }>): boolean {
    const record = { kind: 'end', outcome: 'failed', attempt } as const;
    return this.#write(jobId, { expected, record }) !== undefined;
  }

  claim(
    { jobId, attempt, previousRevision: expected }: EffectOf<'claim'>,
    workerId: WorkerId,
  ): AnswerTo<'claim_answered'> {
    const record = { kind: 'run', workerId, attempt } as const;
    const revision = this.#write(jobId, { expected, record });
    return revision === undefined ? { kind: 'lost' } : { kind: 'won', revision };
  }

  end(
    { jobId, attempt, revision: expected, finish }: EffectOf<'write_end'>,
    workerId: WorkerId,
  ): AnswerTo<'end_answered'> {
    const { outcome } = finish;
    const record = { kind: 'end', outcome, attempt, workerId } as const;
    return this.#write(jobId, { expected, record }) === undefined ? 'refused' : 'written';
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

  /** @returns the revision of the write, or `undefined` when it was refused */
  #write(jobId: JobId, write: LedgerWrite): number | undefined {
    const answer = ledgerStep(this.#entries.get(jobId), write, this.#revision + 1);
    if (answer.kind === 'refused') return undefined;
    this.#revision += 1;
    this.#entries.set(jobId, answer.entry);
    return this.#revision;
  }
}
