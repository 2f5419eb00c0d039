import type { BusMessage, Messaging } from '@starling/bus';
import {
  type BalancerHeartbeat,
  balancerHeartbeatContract,
  type Released,
  type Resend,
  releasedContract,
  resendContract,
  subjects,
} from '@starling/contracts';
import { readable } from '../delivery/readable.ts';

/** What a worker hears besides run requests and cancels. */
export interface WorkerEars {
  heartbeat(heartbeat: BalancerHeartbeat): void;
  /** A reader of frames missed some. */
  resend(missed: Resend): void;
  /** A job was taken from its worker. */
  released(released: Released): void;
}

/** Listens until disposed. */
export async function hearOrders(messaging: Messaging, ears: WorkerEars): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const hear = async (subject: string, handler: (message: BusMessage) => void) => {
    stack.use(await messaging.subscribe(subject, handler));
  };
  await hear(subjects.balancerHeartbeat, ({ payload }) => {
    const heartbeat = readable(balancerHeartbeatContract, payload);
    if (heartbeat) ears.heartbeat(heartbeat);
  });
  await hear(subjects.allResends, ({ payload }) => {
    const missed = readable(resendContract, payload);
    if (missed) ears.resend(missed);
  });
  await hear(subjects.allReleases, ({ payload }) => {
    const released = readable(releasedContract, payload);
    if (released) ears.released(released);
  });
  return stack.move();
}
