import type { BusMessage, Messaging } from '@starling/bus';
import {
  type BalancerHeartbeat,
  balancerHeartbeatContract,
  type Decoded,
  decode,
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
import { counter } from '@starling/telemetry';

/** What the fleet says to an ingress. */
export interface FleetEars {
  heartbeat(heartbeat: BalancerHeartbeat): void;
  frame(frame: Frame): void;
  result(result: Result): void;
  returned(returned: Returned): void;
}

const quarantined = counter('starling.bus.quarantined');
const taken = encode(resultReplyContract, { kind: 'taken' });

/** Passes on what decoded; the rest is counted. */
function use<T>(name: string, decoded: Decoded<T>, take: (value: T) => void): void {
  if (decoded.ok) take(decoded.value);
  else quarantined.add(1, { contract: name, fault: decoded.fault.kind });
}

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
  await on(subjects.framesOf(ingressId), ({ payload }) =>
    use(frameContract.name, decode(frameContract, payload), (frame) => ears.frame(frame)),
  );
  await on(subjects.result(ingressId), (message) =>
    use(resultContract.name, decode(resultContract, message.payload), (result) => {
      message.respond(taken);
      ears.result(result);
    }),
  );
  await on(subjects.returned(ingressId), ({ payload }) =>
    use(returnedContract.name, decode(returnedContract, payload), (job) => ears.returned(job)),
  );
  await on(subjects.balancerHeartbeat, ({ payload }) =>
    use(balancerHeartbeatContract.name, decode(balancerHeartbeatContract, payload), (heartbeat) =>
      ears.heartbeat(heartbeat),
    ),
  );
  return stack.move();
}
