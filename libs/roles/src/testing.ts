/** A stand-in for the cluster that owns the questions, for the tests of balancers and workers. */
import type { Bus } from '@starling/bus';
import {
  clusterId,
  decode,
  encode,
  type Frame,
  frameContract,
  type JobId,
  type Result,
  resultContract,
  resultReplyContract,
  subjects,
} from '@starling/contracts';

/** The cluster that owns every question here: it keeps what it is told and says what it is told to say. */
export class FakeCluster {
  readonly id = clusterId.parse('c0');
  readonly frames: Frame[] = [];
  /** Results for which it said `delivered`, in order; the same job twice is a doubled answer. */
  readonly delivered: Result[] = [];
  /** Every result that reached it. */
  readonly offered: Result[] = [];
  reply: 'delivered' | 'busy' | 'nothing' = 'delivered';

  framesOf(jobId: JobId): Frame[] {
    return this.frames.filter((frame) => frame.jobId === jobId);
  }

  async join(bus: Bus): Promise<void> {
    await bus.messaging.subscribe(subjects.framesOf(this.id), ({ payload }) => {
      const decoded = decode(frameContract, payload);
      if (decoded.ok) this.frames.push(decoded.value);
    });
    await bus.messaging.subscribe(subjects.result(this.id), (message) => {
      const decoded = decode(resultContract, message.payload);
      if (!decoded.ok) throw new Error(`a result that does not decode: ${decoded.fault.kind}`);
      this.offered.push(decoded.value);
      if (this.reply === 'nothing') return;
      if (this.reply === 'delivered') this.delivered.push(decoded.value);
      message.respond(encode(resultReplyContract, { kind: this.reply }));
    });
  }
}
