/** What the fleet says of stored jobs, beyond the frames that every ingress hears of its own. */
import type { Messaging } from '@starling/bus';
import {
  decode,
  type Frame,
  frameContract,
  type IngressId,
  type JobId,
  type OwnerId,
  subjects,
  type Wake,
  wakeContract,
} from '@starling/contracts';
import { counter } from '@starling/telemetry';

const quarantined = counter('starling.bus.quarantined');

/** Listens for the ends that a balancer tells of. */
export async function hearWakes(
  messaging: Messaging,
  self: IngressId,
  onWake: (wake: Wake) => void,
): Promise<AsyncDisposable> {
  return await messaging.subscribe(subjects.wake(self), ({ payload }) => {
    const decoded = decode(wakeContract, payload);
    if (decoded.ok) onWake(decoded.value);
    else quarantined.add(1, { contract: wakeContract.name, fault: decoded.fault.kind });
  });
}

/** Listens for the frames of a job that another ingress owns, which may be dead. */
export async function hearFramesOf(
  messaging: Messaging,
  job: { readonly owner: OwnerId; readonly jobId: JobId },
  onFrame: (frame: Frame) => void,
): Promise<AsyncDisposable> {
  return await messaging.subscribe(subjects.framesOfJob(job.owner, job.jobId), ({ payload }) => {
    const decoded = decode(frameContract, payload);
    if (decoded.ok) onFrame(decoded.value);
    else quarantined.add(1, { contract: frameContract.name, fault: decoded.fault.kind });
  });
}
