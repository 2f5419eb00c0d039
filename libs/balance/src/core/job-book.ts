import type { JobId, WorkerId } from '@starling/contracts';
import { LeastHeap } from '../fair/least-heap.ts';
import type { TrackedJob } from './job-state.ts';

/** Words about jobs that the feed has not shown yet are kept for this many. */
const maxEarly = 2_000;

/** What was said of a job that the feed has not shown yet. */
export interface EarlyWord {
  readonly workerId: WorkerId;
  readonly follows: boolean;
  /** Believed until then. */
  readonly untilMs: number;
}

/** The tracked jobs, each with the moment at which it is looked at next: a tick touches only those due. */
export class JobBook {
  readonly #jobs = new Map<JobId, TrackedJob>();
  readonly #due = new LeastHeap<JobId>();
  /** Jobs that somebody was said to run before the feed showed them. */
  readonly #early = new Map<JobId, EarlyWord>();

  get size(): number {
    return this.#jobs.size;
  }

  get sizes() {
    return { jobs: this.#jobs.size, due: this.#due.size, early: this.#early.size };
  }

  get(jobId: JobId): TrackedJob | undefined {
    return this.#jobs.get(jobId);
  }

  add(job: TrackedJob): void {
    this.#jobs.set(job.header.jobId, job);
  }

  delete(jobId: JobId): void {
    this.#jobs.delete(jobId);
    this.#due.delete(jobId);
  }

  /** Looks at the job again at `atMs`; replaces what was planned. */
  lookAt(job: TrackedJob, atMs: number): void {
    this.#due.set(job.header.jobId, atMs);
  }

  /** The jobs due by now, each once; the caller plans their next look. */
  takeDue(nowMs: number): readonly TrackedJob[] {
    const due: TrackedJob[] = [];
    for (let jobId = this.#due.least(); jobId !== undefined; jobId = this.#due.least()) {
      if ((this.#due.valueOf(jobId) ?? 0) > nowMs) break;
      this.#due.delete(jobId);
      const job = this.#jobs.get(jobId);
      if (job) due.push(job);
    }
    return due;
  }

  /** Somebody runs a job that we do not know (yet). */
  noteEarly(jobId: JobId, word: EarlyWord): void {
    this.#early.delete(jobId);
    if (this.#early.size >= maxEarly) {
      const [oldest] = this.#early.keys();
      if (oldest !== undefined) this.#early.delete(oldest);
    }
    this.#early.set(jobId, word);
  }

  /** Who is said to run this new job. */
  takeEarly(jobId: JobId): EarlyWord | undefined {
    const word = this.#early.get(jobId);
    this.#early.delete(jobId);
    return word;
  }
}
