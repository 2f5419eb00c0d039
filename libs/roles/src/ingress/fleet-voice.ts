import type { Messaging } from '@starling/bus';
import {
  cancelContract,
  encode,
  type JobId,
  type Resend,
  resendContract,
  subjects,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';

/** What an ingress says to whoever runs its jobs; nothing is kept while the bus is away. */
export class FleetVoice {
  readonly #messaging: Pick<Messaging, 'publish'>;
  readonly #telemetry: RoleTelemetry;

  constructor(messaging: Pick<Messaging, 'publish'>, telemetry: RoleTelemetry) {
    this.#messaging = messaging;
    this.#telemetry = telemetry;
  }

  /** Nobody waits for this job. Unsaid, its worker runs on, at most until the job's deadline. */
  cancel(jobId: JobId): void {
    const cancel = encode(cancelContract, { jobId, reason: 'caller_gone' });
    this.#publish(subjects.cancel(jobId), cancel);
  }

  /** Frames are missing. Unsaid, the result fills the hole, only later. */
  resend(missing: Resend): void {
    this.#publish(subjects.resend(missing.jobId), encode(resendContract, missing));
  }

  #publish(subject: string, payload: Uint8Array): void {
    try {
      this.#messaging.publish(subject, payload);
    } catch (error) {
      this.#telemetry.log('desk').debug('message.unsent', { subject, error });
    }
  }
}
