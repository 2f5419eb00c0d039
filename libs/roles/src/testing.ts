/** A stand-in for the cluster that owns the questions, for the tests of balancers and workers. */
import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  clusterId,
  decode,
  type Frame,
  frameContract,
  type JobId,
  type Result,
  subjects,
  type Wake,
  wakeContract,
} from '@starling/contracts';
import { type Jobs, openJobs } from './delivery/open-jobs.ts';

/** The cluster that owns every question here: it keeps what it is told and delivers unless told not to. */
export class FakeCluster {
  readonly id = clusterId.parse('c0');
  /** Frames with text, in order. */
  readonly frames: Frame[] = [];
  /** Last frames: each says that an end stands in the ledger. */
  readonly lastFrames: Frame[] = [];
  readonly wakes: Wake[] = [];
  /** Ends that it has delivered, in order; the same job twice is a doubled answer. */
  readonly delivered: Result[] = [];
  /** False: it hears of ends and does nothing. */
  delivers = true;
  readonly #removed = new Set<JobId>();

  framesOf(jobId: JobId): Frame[] {
    return this.frames.filter((frame) => frame.jobId === jobId);
  }

  /** Listens on a bus; gives the stores, for what a test does to them. */
  async join(bus: Bus, clock: Clock): Promise<Jobs> {
    const jobs = await openJobs({ bus, clock });
    await bus.messaging.subscribe(subjects.framesOf(this.id), ({ payload }) => {
      const decoded = decode(frameContract, payload);
      if (!decoded.ok) return;
      const { end, jobId } = decoded.value;
      if (!end) {
        this.frames.push(decoded.value);
        return;
      }
      this.lastFrames.push(decoded.value);
      void this.#deliver(jobs, jobId, end.stored);
    });
    await bus.messaging.subscribe(subjects.wake(this.id), ({ payload }) => {
      const decoded = decode(wakeContract, payload);
      if (!decoded.ok) return;
      this.wakes.push(decoded.value);
      void this.#deliver(jobs, decoded.value.jobId, decoded.value.stored);
    });
    return jobs;
  }

  async #deliver({ ledger, store }: Jobs, jobId: JobId, stored: number): Promise<void> {
    if (!this.delivers) return;
    if (!this.#removed.has(jobId)) {
      const read = await ledger.read(jobId);
      if (read.kind !== 'end' || this.#removed.has(jobId)) return;
      this.#removed.add(jobId);
      this.delivered.push(read.end.result);
    }
    // Should it fail, a balancer finds the job still stored and says so.
    await store.remove(stored).catch(() => {});
  }
}
