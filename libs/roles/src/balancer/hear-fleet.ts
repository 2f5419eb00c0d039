/** What a balancer hears on the bus, decoded; what does not decode is counted and set aside. */
import type { BusMessage, Messaging } from '@starling/bus';
import {
  type BalancerHeartbeat,
  type BalancerId,
  balancerHeartbeatContract,
  detachBody,
  jobContract,
  type LoadReport,
  loadReportContract,
  type Released,
  releasedContract,
  subjects,
  submitContract,
  type Took,
  tookContract,
  type Wake,
  wakeContract,
} from '@starling/contracts';
import { readable } from '../delivery/readable.ts';
import type { Submission } from './submissions.ts';

/** Whoever listens. */
export interface FleetEars {
  load(report: LoadReport): void;
  heartbeat(heartbeat: BalancerHeartbeat): void;
  took(took: Took): void;
  /** A job was taken from its worker, or let go of by it. */
  released(released: Released): void;
  /** A balancer says that a job ended. */
  ended(wake: Wake): void;
  /** A submission that does not decode is absent; its sender is answered all the same. */
  submitted(submission: Submission | undefined, message: BusMessage): void;
}

/** Listens until disposed. */
export async function hearFleet(
  messaging: Messaging,
  self: BalancerId,
  ears: FleetEars,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const hear = async (subject: string, handler: (message: BusMessage) => void) => {
    stack.use(await messaging.subscribe(subject, handler));
  };
  await hear(subjects.allLoad, ({ payload }) => {
    const report = readable(loadReportContract, payload);
    if (report) ears.load(report);
  });
  await hear(subjects.balancerHeartbeat, ({ payload }) => {
    const heartbeat = readable(balancerHeartbeatContract, payload);
    if (heartbeat) ears.heartbeat(heartbeat);
  });
  await hear(subjects.took, ({ payload }) => {
    const took = readable(tookContract, payload);
    if (took) ears.took(took);
  });
  await hear(subjects.allReleases, ({ payload }) => {
    const released = readable(releasedContract, payload);
    if (released) ears.released(released);
  });
  await hear(subjects.allWakes, ({ payload }) => {
    const wake = readable(wakeContract, payload);
    if (wake) ears.ended(wake);
  });
  await hear(subjects.submit(self), (message) => ears.submitted(submissionIn(message), message));
  return stack.move();
}

function submissionIn({ payload }: BusMessage): Submission | undefined {
  const { body, head } = detachBody(payload);
  const submit = readable(submitContract, head);
  if (!submit || !body || body.byteLength > jobContract.maxBytes) return undefined;
  // A copy: a job may wait for long, and a view of it would hold all that came with it.
  return { submit, job: Uint8Array.from(body) };
}
