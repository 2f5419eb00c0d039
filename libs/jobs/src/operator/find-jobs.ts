/** Everything that is known of the jobs that a word names. */
import type { StoredMessage } from '@starling/bus';
import {
  type DecodeFault,
  decode,
  type Headers,
  type Job,
  type JobId,
  jobContract,
  jobId as jobIdSchema,
} from '@starling/contracts';
import type { LedgerRead, PostedPart } from '../ledger/ledger.ts';
import { type JobRecord, recordOf, stateOf } from './job-record.ts';
import type { JobStores } from './job-stores.ts';
import { namesJob } from './names-job.ts';

/** A job that lies in `JOBS`, in full. */
export interface StoredDetails {
  readonly kind: 'stored';
  readonly record: JobRecord;
  readonly headers: Headers;
  /** Its body, or why it cannot be read; absent when it was delivered just now. */
  readonly body?: Job | DecodeFault;
  readonly ledger: LedgerRead;
  /** The messages in Discord that show its answer. */
  readonly posts: readonly PostedPart[];
}

/** A job that is not in `JOBS` any more: it was delivered, and the ledger still remembers it. */
export interface RememberedDetails {
  readonly kind: 'remembered';
  readonly jobId: JobId;
  readonly state: JobRecord['state'];
  readonly ledger: LedgerRead;
  readonly posts: readonly PostedPart[];
}

export type JobDetails = StoredDetails | RememberedDetails;

/** A correlation id may name more than one; more than these is a mistake in the word. */
const mostFound = 20;

/**
 * The jobs that a word names (see {@link namesJob}), newest first. Of a job that was delivered only its
 * own id leads to the ledger's record.
 */
export async function findJobs(stores: JobStores, word: string): Promise<readonly JobDetails[]> {
  const stored = await namedBy(stores, word);
  if (stored.length > 0) {
    const newest = stored.slice(-mostFound).reverse();
    return await Promise.all(newest.map((message) => detailsOf(stores, message)));
  }
  const id = jobIdSchema.safeParse(word);
  if (!id.success) return [];
  const ledger = await stores.ledger.read(id.data);
  if (ledger.kind === 'none') return [];
  const posts = await stores.ledger.posts.read(id.data);
  return [{ kind: 'remembered', jobId: id.data, state: stateOf(ledger), ledger, posts }];
}

/** The stored messages that a word names, in order of their acceptance. */
export async function namedBy(
  { store }: Pick<JobStores, 'store'>,
  word: string,
): Promise<readonly StoredMessage[]> {
  return (await store.list()).filter(({ headers, subject }) =>
    namesJob(word, { headers, jobId: subject.split('.').at(-1) ?? '' }),
  );
}

async function detailsOf(stores: JobStores, message: StoredMessage): Promise<StoredDetails> {
  const { headers, sequence } = message;
  const record = await recordOf(stores, message);
  const id = jobIdSchema.safeParse(record.jobId);
  const whole = await stores.store.read(sequence);
  const decoded = whole && decode(jobContract, whole.payload);
  return {
    ...{ kind: 'stored', record, headers },
    ...(decoded && { body: decoded.ok ? decoded.value : decoded.fault }),
    ledger: id.success ? await stores.ledger.read(id.data) : { kind: 'none' },
    posts: id.success ? await stores.ledger.posts.read(id.data) : [],
  };
}
