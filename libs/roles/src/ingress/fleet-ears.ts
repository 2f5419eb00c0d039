import type { BusMessage, Messaging } from '@starling/bus';
import {
  type BalancerHeartbeat,
  balancerHeartbeatContract,
  encode,
  type Frame,
  frameContract,
  type IngressId,
  type Result,
  type Returned,
  resultContract,
  resultReplyContract,
  returnedContract,
  subjects,
} from '@starling/contracts';
import { readable } from '../delivery/readable.ts';

/** What the fleet says to an ingress. */
export interface FleetEars {
  heartbeat(heartbeat: BalancerHeartbeat): void;
  frame(frame: Frame): void;
  result(result: Result): void;
  returned(returned: Returned): void;
}

const taken = encode(resultReplyContract, { kind: 'taken' });

/**
 * Listens for all requests at once, one subscription for each kind of message. A result is answered with
 * `taken` before it is looked at: of a job that nobody waits for it need not come again either.
 */
export async function listenToFleet(
  messaging: Messaging,
  ingressId: IngressId,
  ears: FleetEars,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const on = async (subject: string, handler: (message: BusMessage) => void) => {
    stack.use(await messaging.subscribe(subject, handler));
  };
  await on(subjects.framesOf(ingressId), ({ payload }) => {
    const frame = readable(frameContract, payload);
    if (frame) ears.frame(frame);
  });
  await on(subjects.result(ingressId), (message) => {
    const result = readable(resultContract, message.payload);
    if (!result) return;
    message.respond(taken);
    ears.result(result);
  });
  await on(subjects.returned(ingressId), ({ payload }) => {
    const returned = readable(returnedContract, payload);
    if (returned) ears.returned(returned);
  });
  await on(subjects.balancerHeartbeat, ({ payload }) => {
    const heartbeat = readable(balancerHeartbeatContract, payload);
    if (heartbeat) ears.heartbeat(heartbeat);
  });
  return stack.move();
}
